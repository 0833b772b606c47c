// SPDX-License-Identifier: Apache-2.0
#include "llm/prompt.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace narae {

namespace {

// A text that is too long whatever its tokens are is not made tokens of.
std::vector<int32_t> encode(const LanguageModel& model, std::string_view text, const EncodeOptions& options) {
  if (text.size() > model.tokenizer->most_bytes(model.context)) {
    fail(ErrorCode::does_not_fit, "the prompt has {} bytes, far more than the context of {} tokens; shorten it",
         text.size(), model.context);
  }
  return model.tokenizer->encode(text, options);
}

}  // namespace

std::vector<int32_t> text_prompt(const LanguageModel& model, std::string_view text) {
  EncodeOptions options = model.tokenizer->defaults();
  options.end = false, options.specials = true;
  return encode(model, text, options);
}

std::vector<int32_t> chat_prompt(const LanguageModel& model, const nlohmann::ordered_json& messages) {
  if (!model.chat) fail(ErrorCode::usage, "the model has no chat template; give it a plain prompt");
  if (!messages.is_array() || messages.empty()) {
    fail(ErrorCode::usage, "messages must be a list of objects with role and content");
  }
  const Tokenizer& tokenizer = *model.tokenizer;
  const auto spelled = [&](int32_t id) { return id < 0 ? std::string() : std::string(tokenizer.spelling(id)); };
  const nlohmann::ordered_json context = {{"messages", messages},
                                          {"add_generation_prompt", true},
                                          {"bos_token", spelled(tokenizer.begin())},
                                          {"eos_token", spelled(tokenizer.end())}};
  EncodeOptions options;
  options.specials = true;  // the template writes them out
  return encode(model, model.chat->render(context, std::time(nullptr)), options);
}

void check_prompt(std::span<const int32_t> prompt, int64_t vocabulary, int64_t context) {
  if (prompt.empty()) fail(ErrorCode::usage, "the prompt is empty; send at least one token");
  const auto tokens = static_cast<int64_t>(prompt.size());
  if (tokens >= context) {
    fail(ErrorCode::does_not_fit, "the prompt has {} tokens, the context is {}; shorten it by {}", tokens, context,
         tokens - context + 1);
  }
  for (const int32_t token : prompt) {
    if (token >= 0 && token < vocabulary) continue;
    fail(ErrorCode::usage, "the prompt has token {}; the vocabulary has {} tokens, numbered from 0", token, vocabulary);
  }
}

}  // namespace narae
