// SPDX-License-Identifier: Apache-2.0
// Which bytes are characters. A wrong sequence is cut at its longest part that could have begun a character
// (Unicode, section 3.9, "substitution of maximal subparts").
#include "text/utf8.h"

#include <cstring>

namespace narae {
namespace {

struct Lead {
  uint32_t size;          // 0: no character begins so
  uint8_t lowest = 0x80;  // of the second byte
  uint8_t highest = 0xbf;
};

Lead lead_of(uint8_t first) {
  if (first < 0x80) return {1};
  if (first < 0xc2) return {0};
  if (first < 0xe0) return {2};
  if (first == 0xe0) return {3, 0xa0, 0xbf};
  if (first == 0xed) return {3, 0x80, 0x9f};
  if (first < 0xf0) return {3};
  if (first == 0xf0) return {4, 0x90, 0xbf};
  if (first < 0xf4) return {4};
  if (first == 0xf4) return {4, 0x80, 0x8f};
  return {0};
}

}  // namespace

Utf8Prefix utf8_prefix(std::string_view text) {
  using Kind = Utf8Prefix::Kind;
  if (text.empty()) return {Kind::cut, 0};
  const Lead lead = lead_of(static_cast<uint8_t>(text[0]));
  if (lead.size == 0) return {Kind::invalid, 1};
  for (uint32_t i = 1; i < lead.size; ++i) {
    if (i == text.size()) return {Kind::cut, i};
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < (i == 1 ? lead.lowest : 0x80) || byte > (i == 1 ? lead.highest : 0xbf)) return {Kind::invalid, i};
  }
  return {Kind::whole, lead.size};
}

size_t find_invalid_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    uint64_t eight = 0;
    if (text.size() - at >= 8) {
      std::memcpy(&eight, text.data() + at, 8);
      if ((eight & 0x8080808080808080ULL) == 0) {
        at += 8;
        continue;
      }
    }
    const Utf8Prefix prefix = utf8_prefix(text.substr(at));
    if (prefix.kind != Utf8Prefix::Kind::whole) return at;
    at += prefix.size;
  }
  return std::string_view::npos;
}

void append_utf8(std::string& text, uint32_t code_point) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((code_point >> shift) & 0x3f)); };
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    text += static_cast<char>(0xc0 | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    text += static_cast<char>(0xe0 | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0 | code_point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace narae
