// SPDX-License-Identifier: Apache-2.0
// How tokens are chosen. Stop strings are not here: the reader's side sees the text and ends the request.
#pragma once

#include <span>

#include "batch/request.h"

namespace narae {

struct LogitBias {
  int32_t token = 0;
  float bias = 0;
};

// Which tokens may come next, such as a grammar; called by the Worker, so it must be quick.
class Constraint {
 public:
  virtual ~Constraint() = default;
  // Sets bit (token % 32) of allowed[token / 32] for each token that may follow `answer`. All bits are clear before.
  virtual void allow(std::span<const int32_t> answer, std::span<uint32_t> allowed) const = 0;
};

inline constexpr int32_t most_top_logprobs = 20;  // as OpenAI has it

struct SamplingParams final : Params {
  float temperature = 1;         // 0: the most likely token
  int32_t top_k = 0;             // only the k most likely; 0: off
  float top_p = 1;               // only the most likely whose probabilities sum up to p; 1: off
  float min_p = 0;               // only those of at least min_p times the highest probability; 0: off
  float repetition_penalty = 1;  // divides positive, multiplies negative logits of tokens of prompt and answer
  float presence_penalty = 0;    // taken once from logits of tokens of the answer
  float frequency_penalty = 0;   // taken from them as often as they are there
  std::vector<LogitBias> logit_bias;
  std::vector<int32_t> stop_ids;  // end the answer; with the model's own unless they are to be ignored
  int64_t min_tokens = 0;         // no stop id before
  int64_t max_tokens = 16;
  uint64_t seed = 0;
  int32_t n = 1;             // answers (branches)
  int32_t top_logprobs = 0;  // that many likeliest tokens are told for each place, by the logits as they came
  std::shared_ptr<const Constraint> constraint;

  // The choice of a token takes the tokens before it.
  bool needs_history() const {
    return constraint || repetition_penalty != 1 || presence_penalty != 0 || frequency_penalty != 0;
  }
};

// Error usage naming the field, its value and what it may be.
void check_sampling(const SamplingParams& params, int64_t vocabulary, int32_t max_branches);

}  // namespace narae
