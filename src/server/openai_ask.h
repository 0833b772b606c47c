// SPDX-License-Identifier: Apache-2.0
// The bodies of /v1/chat/completions and /v1/completions, read against a model: prompts as tokens and how to choose
// the answer's. OpenAI's API reference, and of others' extensions top_k, min_p, repetition_penalty, min_tokens,
// ignore_eos, stop_token_ids, cache_salt, priority and timeout_ms.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "serve/text_model.h"

namespace narae {

struct OpenAiAsk {
  bool chat = false, stream = false, include_usage = false, logprobs = false, echo = false;
  std::vector<std::vector<int32_t>> prompts;
  TextCall call;  // for each prompt, but for id and prompt
  std::vector<std::string> stops;
};

// The name in `body`; empty: none is given. Throws Error usage where it is no text.
std::string openai_model_name(const nlohmann::json& body);
// Throws Error usage naming the member, and what tokenizer and template throw. `seed` stands in where none is given.
OpenAiAsk read_openai_ask(const nlohmann::json& body, bool chat, const TextModel& model, uint64_t seed);

// Texts, or token ids, one or a list of either, as /v1/completions and /v1/embeddings take them.
std::vector<std::vector<int32_t>> read_openai_texts(
    const nlohmann::json& value, const char* name,
    const std::function<std::vector<int32_t>(const std::string& text)>& tokens);

}  // namespace narae
