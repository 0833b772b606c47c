// SPDX-License-Identifier: Apache-2.0
// Any bytes as a chat template: an Error, or text within the budget of steps.
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/error.h"
#include "text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto context = nlohmann::ordered_json::parse(R"({"bos_token": "<s>", "eos_token": "</s>",
    "add_generation_prompt": true, "messages": [{"role": "system", "content": " be brief "},
    {"role": "user", "content": "h\u00e9llo <b>"}, {"role": "assistant", "content": null, "tool_calls":
    [{"function": {"name": "f", "arguments": {"a": [1, 2.5, true, null]}}}]}], "tools": [{"function": {"name": "f",
    "parameters": {"properties": {"a": {"type": "array"}}, "required": ["a"]}}}]})");
  try {
    const narae::ChatTemplate made(std::string_view(reinterpret_cast<const char*>(data), size));
    narae::ChatTemplateLimits limits;
    limits.steps = 100'000;
    made.render(context, 1'753'530'000, limits);
  } catch (const narae::Error& error) {
    if (error.code() == narae::ErrorCode::internal) __builtin_trap();
  }
  return 0;
}
