// SPDX-License-Identifier: Apache-2.0
#include "llm/sampling_params.h"

namespace narae {

namespace {

// Written so that NaN fails.
void between(const char* field, double value, double least, double most, const char* remedy) {
  if (value >= least && value <= most) return;
  fail(ErrorCode::usage, "{} is {}; it must be between {} and {} ({})", field, value, least, most, remedy);
}

void token_exists(const char* field, int32_t token, int64_t vocabulary) {
  if (token >= 0 && token < vocabulary) return;
  fail(ErrorCode::usage, "{} names token {}; the vocabulary has {} tokens, numbered from 0", field, token, vocabulary);
}

}  // namespace

void check_sampling(const SamplingParams& params, int64_t vocabulary, int32_t max_branches) {
  between("temperature", params.temperature, 0, 100, "0 takes the most likely token");
  between("top_k", params.top_k, 0, static_cast<double>(INT32_MAX), "0 switches it off");
  between("top_p", params.top_p, 0, 1, "1 switches it off");
  between("min_p", params.min_p, 0, 1, "0 switches it off");
  between("repetition_penalty", params.repetition_penalty, 0.01, 100, "1 switches it off");
  between("presence_penalty", params.presence_penalty, -2, 2, "0 switches it off");
  between("frequency_penalty", params.frequency_penalty, -2, 2, "0 switches it off");
  for (const LogitBias& bias : params.logit_bias) {
    token_exists("logit_bias", bias.token, vocabulary);
    between("logit_bias", bias.bias, -100, 100, "-100 forbids a token");
  }
  for (const int32_t token : params.stop_ids) token_exists("stop_ids", token, vocabulary);
  if (params.max_tokens < 1) fail(ErrorCode::usage, "max_tokens is {}; ask for at least 1", params.max_tokens);
  if (params.min_tokens < 0 || params.min_tokens > params.max_tokens) {
    fail(ErrorCode::usage, "min_tokens is {}; it must be between 0 and max_tokens = {}", params.min_tokens,
         params.max_tokens);
  }
  between("top_logprobs", params.top_logprobs, 0, most_top_logprobs, "ask for fewer");
  between("n", params.n, 1, max_branches, "send further requests for more answers");
}

}  // namespace narae
