// SPDX-License-Identifier: Apache-2.0
#include "console.h"

#include <cstdio>

namespace narae {

void Console::line(const std::string& text) {
  if (!json) fmt::print("{}\n", text);
}

void Console::piece(std::string_view text) {
  if (json) return;
  fmt::print("{}", text);
  std::fflush(stdout);
}

void Console::result(const nlohmann::ordered_json& object) {
  // Texts of a model need not be UTF-8: what is not is replaced.
  if (json) fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void Console::event(const nlohmann::ordered_json& object) {
  fmt::print("{}\n", object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  std::fflush(stdout);
}

void Console::error(const std::string& code, const std::string& message, const std::vector<std::string>& context) {
  if (json) {
    result({{"error", {{"code", code}, {"message", message}, {"context", context}}}});
    return;
  }
  std::string text = "narae: ";
  for (const std::string& frame : context) text += frame + " > ";
  fmt::print(stderr, "{}{}\n", text, message);
}

bool Console::flush() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

}  // namespace narae
