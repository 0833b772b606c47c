// SPDX-License-Identifier: Apache-2.0
// Logits of a text that is known beforehand, for perplexity and for comparing.
#pragma once

#include <functional>
#include <span>

#include "base/memory_budget.h"
#include "llm/language_model.h"

namespace narae {

// `see(position, logits)` hears of every token of `ids` in order: the logits of what may follow it. `rows` tokens go
// through the model at a time. States are its own. Throws Error does_not_fit beyond the context, usage for ids that
// are no tokens.
void score(const LanguageModel& model, const std::shared_ptr<Device>& device, MemoryBudget* budget,
           std::span<const int32_t> ids, int64_t rows,
           const std::function<void(int64_t position, std::span<const float> logits)>& see);

}  // namespace narae
