// SPDX-License-Identifier: Apache-2.0
// What narae load asks a server, by kind: made once, sent many times.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "http_client.h"

namespace narae {

struct LoadAsk {
  std::string model, kind = "infer";
  std::vector<std::string> inputs;  // of infer: [NAME=]F.npy
  std::string text;                 // of the others: a file with a text a line; empty: a sentence
  int64_t max_tokens = 64;
};

struct LoadCall {
  std::string path;
  std::vector<std::string> bodies;  // one after the other
  HttpHeaders headers;
  bool streams = false;  // the answer is events, of which the first counts as the first token
};

// Asks `client` for the model's metadata where the kind needs them. Throws Error failed where it is not there.
LoadCall make_load_call(HttpClient& client, const LoadAsk& ask);

}  // namespace narae
