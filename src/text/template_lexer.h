// SPDX-License-Identifier: Apache-2.0
// Jinja source -> tokens, with trim_blocks and lstrip_blocks on, as chat templates are written for
// (Jinja 3 documentation, "Whitespace Control").
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace narae {

struct TemplateToken {
  enum class Kind { data, block_begin, block_end, variable_begin, variable_end, name, text, integer, real, sign, end };
  Kind kind = Kind::end;
  std::string text;  // of a text: with its escapes resolved
  int line = 1;
};

// Throws Error bad_file with the line.
std::vector<TemplateToken> lex_template(std::string_view source);

}  // namespace narae
