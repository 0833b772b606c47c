// SPDX-License-Identifier: Apache-2.0
// The reader's side of a whole request: the pieces of its Sink as text, branch by branch. The one thing not to get
// wrong: each branch ends with exactly one event, also where nobody ended it.
#pragma once

#include <functional>

#include "batch/request.h"
#include "llm/text_stream.h"

namespace narae {

class AnswerReader {
 public:
  struct Event {
    int32_t branch = 0, token = -1;  // -1: only text or an end
    float logprob = 0;
    Finish finish = Finish::none;
    std::string text;               // that is certain now
    std::vector<TokenLogprob> top;  // of the token's place
  };
  struct Branch {
    TextStream stream;
    std::string text;
    std::vector<float> logprobs;
    std::vector<TokenLogprob> tops;  // for each token equally many
    Finish finish = Finish::none;
  };

  // `stop_branch` is called when a stop string was found; its request goes on with the others. Throws Error usage for
  // stop strings that cannot be.
  AnswerReader(const Tokenizer& tokenizer, RequestPtr request, const std::vector<std::string>& stops,
               std::function<void(int32_t branch)> stop_branch);

  // What has come since: false where there is nothing now, or nothing any more (ended()). One thread at a time.
  bool next(Event& event);
  // All has been told.
  bool ended() const { return ended_; }
  const RequestPtr& request() const { return request_; }
  const std::vector<Branch>& branches() const { return branches_; }

 private:
  void add(const Piece& piece, Event& event);
  bool add_end(Event& event);

  RequestPtr request_;
  std::function<void(int32_t)> stop_branch_;
  std::vector<Branch> branches_;
  bool ended_ = false;
};

}  // namespace narae
