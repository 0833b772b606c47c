// SPDX-License-Identifier: Apache-2.0
// What somebody said, as the tokens of a prompt.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string_view>

#include "llm/language_model.h"

namespace narae {

// A plain text as the model wants it to begin; special tokens written out in it become their ids. Throws Error usage
// when it is not UTF-8.
std::vector<int32_t> text_prompt(const LanguageModel& model, std::string_view text);

// Messages [{"role", "content"}, ..] by the model's template, up to where the answer begins. Throws Error usage where
// there is no template or it refuses them.
std::vector<int32_t> chat_prompt(const LanguageModel& model, const nlohmann::ordered_json& messages);

// Throws Error: usage for an empty prompt and tokens outside the vocabulary, does_not_fit where no token fits behind
// it.
void check_prompt(std::span<const int32_t> prompt, int64_t vocabulary, int64_t context);

}  // namespace narae
