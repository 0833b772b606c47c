// SPDX-License-Identifier: Apache-2.0
// What penalties and biases do to the logits of one sequence, as a short list of tokens, kept up to date token by
// token. The `sample` graph applies it: l = (l > 0 ? l / scale : l * scale) + add.
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "llm/sampling_params.h"

namespace narae {

struct LogitChange {
  int32_t token = 0;
  float scale = 1;  // the repetition penalty
  float add = 0;    // bias less the other penalties
};

class LogitChanges {
 public:
  void start(const SamplingParams& params, std::span<const int32_t> prompt);
  void count(int32_t token);  // one more in the answer
  std::span<const LogitChange> list() const { return list_; }

 private:
  struct Place {
    size_t index = 0;
    bool answered = false;
  };
  LogitChange& at(int32_t token);
  float repetition_ = 1, presence_ = 0, frequency_ = 0;
  std::vector<LogitChange> list_;
  std::unordered_map<int32_t, Place> places_;
};

}  // namespace narae
