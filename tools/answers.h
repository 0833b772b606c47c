// SPDX-License-Identifier: Apache-2.0
// Requests of a command to an Executor, and their answers as they come.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>

#include "llm/text_stream.h"
#include "llm_flags.h"

namespace narae {

// One request and what has come of it.
struct Ask {
  nlohmann::ordered_json id = 0;
  RequestPtr request;
  std::unique_ptr<TextStream> stream;
  std::function<void(std::string_view)> show;  // hears of the text as it comes; may be empty
  std::string text;
  Time sent = 0, first = 0, last = 0;
};

class Answers {
 public:
  // `stops`: texts that end an answer.
  Answers(Executor& executor, std::vector<std::string> stops) : executor_(executor), stops_(std::move(stops)) {}

  std::unique_ptr<Ask> ask(std::vector<int32_t> ids, const SamplingParams& params,
                           std::function<void(std::string_view)> show = {});
  // Blocks until one of those asked has ended.
  Ask& next();

 private:
  void ring();
  void read(Ask& ask);
  Executor& executor_;
  std::vector<std::string> stops_;
  std::vector<Ask*> open_;
  std::mutex mutex_;
  std::condition_variable bell_;
  bool news_ = false;
};

// The object that `generate` prints. Throws the request's Error where it failed.
nlohmann::ordered_json result_of(const Ask& ask);

}  // namespace narae
