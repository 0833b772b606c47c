// SPDX-License-Identifier: Apache-2.0
// What a file holds as text, made fit for a message.
#pragma once

#include <string>
#include <string_view>

namespace narae {

// At most 80 characters, none of them unprintable.
inline std::string shown_text(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, 80)) out += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > 80) out += "..";
  return out;
}

}  // namespace narae
