// SPDX-License-Identifier: Apache-2.0
// What C callers hand over as a prompt.
#pragma once

#include <cstdint>
#include <vector>

#include "llm/language_model.h"

namespace narae::api {

// `messages` is the text of a JSON list. Throws Error usage.
std::vector<int32_t> chat_tokens(const LanguageModel& model, const char* messages);

}  // namespace narae::api
