// SPDX-License-Identifier: Apache-2.0
// The chat template of a model: Jinja source from tokenizer_config.json or GGUF, rendered with messages, tools and
// flags to the text of a prompt. Templates come with downloads and are not trusted: rendering ends, whatever they say.
// What is known is what published templates use, byte for byte as Jinja 3 gives it in an immutable sandbox with
// trim_blocks and lstrip_blocks; anything else is an Error that names it. A template is immutable: threads may share
// it.
#pragma once

#include <cstdint>
#include <ctime>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "text/template_syntax.h"

namespace narae {

struct ChatTemplateLimits {
  int64_t steps = 8'000'000;  // nodes evaluated, elements touched, 8 bytes of text made
};

class ChatTemplate {
 public:
  // Throws Error bad_file with the line.
  explicit ChatTemplate(std::string_view source) : block_(parse_template(source)) {}

  // `context` is an object: messages, tools, add_generation_prompt, bos_token ..; `now` is what strftime_now() tells,
  // in local time. Throws Error usage with the template's own words (raise_exception), does_not_fit at a limit,
  // bad_file for what the template does wrong.
  std::string render(const nlohmann::ordered_json& context, std::time_t now,
                     const ChatTemplateLimits& limits = {}) const;

 private:
  TemplateBlock block_;
};

}  // namespace narae
