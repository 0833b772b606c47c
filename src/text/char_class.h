// SPDX-License-Identifier: Apache-2.0
// The classes of characters that pre-tokenizer patterns speak of: \p{L}, \p{N}, \s and the rest. ASCII is a table here,
// the rest is utf8proc's.
#pragma once

#include <array>
#include <cstdint>

namespace narae {

enum class CharClass : uint8_t { letter, number, space, other };

// Also right for code points above U+10FFFF (other).
CharClass wide_char_class(uint32_t code_point);

namespace detail {
constexpr std::array<CharClass, 128> ascii_classes() {
  std::array<CharClass, 128> classes{};
  for (int c = 0; c < 128; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    classes[c] = letter                 ? CharClass::letter
                 : c >= '0' && c <= '9' ? CharClass::number
                 : space                ? CharClass::space
                                        : CharClass::other;
  }
  return classes;
}
inline constexpr std::array<CharClass, 128> ascii_class = ascii_classes();
}  // namespace detail

inline CharClass char_class(uint32_t code_point) {
  return code_point < 128 ? detail::ascii_class[code_point] : wide_char_class(code_point);
}

}  // namespace narae
