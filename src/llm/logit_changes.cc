// SPDX-License-Identifier: Apache-2.0
#include "llm/logit_changes.h"

namespace narae {

LogitChange& LogitChanges::at(int32_t token) {
  const auto [found, fresh] = places_.try_emplace(token, Place{list_.size(), false});
  if (fresh) list_.push_back({token, 1, 0});
  return list_[found->second.index];
}

void LogitChanges::start(const SamplingParams& params, std::span<const int32_t> prompt) {
  list_.clear();
  places_.clear();
  repetition_ = params.repetition_penalty;
  presence_ = params.presence_penalty;
  frequency_ = params.frequency_penalty;
  for (const LogitBias& bias : params.logit_bias) at(bias.token).add += bias.bias;
  if (repetition_ == 1) return;
  for (const int32_t token : prompt) at(token).scale = repetition_;
}

void LogitChanges::count(int32_t token) {
  if (repetition_ == 1 && presence_ == 0 && frequency_ == 0) return;
  LogitChange& change = at(token);
  Place& place = places_.find(token)->second;
  change.scale = repetition_;
  change.add -= frequency_ + (place.answered ? 0 : presence_);
  place.answered = true;
}

}  // namespace narae
