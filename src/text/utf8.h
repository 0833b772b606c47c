// SPDX-License-Identifier: Apache-2.0
// UTF-8 by code points (The Unicode Standard, table 3-7). decode_valid trusts its input: check a text once with
// find_invalid_utf8 before walking it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace narae {

struct CodePoint {
  uint32_t value;
  uint32_t size;  // bytes
};

// What the bytes at the front of a text are.
struct Utf8Prefix {
  enum class Kind { whole, cut, invalid };
  Kind kind;
  size_t
      size;  // whole: of the character; cut: all that is there, the rest may follow; invalid: bytes to replace by one
};

Utf8Prefix utf8_prefix(std::string_view text);

// Offset of the first byte that is not UTF-8 (surrogates and overlong forms are not), or npos.
size_t find_invalid_utf8(std::string_view text);

// The character at `at` of a valid text, at < text.size().
inline CodePoint decode_valid(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xe0) return {(first & 0x1f) << 6 | (byte(1) & 0x3fu), 2};
  if (first < 0xf0) return {(first & 0x0f) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu), 3};
  return {(first & 0x07) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 | (byte(3) & 0x3fu), 4};
}

void append_utf8(std::string& text, uint32_t code_point);

// U+FFFD, what stands for bytes that are no character.
inline constexpr std::string_view replacement_character = "\xef\xbf\xbd";

}  // namespace narae
