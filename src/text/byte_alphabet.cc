// SPDX-License-Identifier: Apache-2.0
// The alphabet as two small constexpr tables.
#include "text/byte_alphabet.h"

#include <array>

#include "text/utf8.h"

namespace narae {
namespace {

constexpr bool prints(int byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

struct Alphabet {
  std::array<uint16_t, 256> letter{};  // by byte
  std::array<int16_t, 0x144> byte{};   // by letter, -1: none
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  for (auto& byte : alphabet.byte) byte = -1;
  int next = 0x100;
  for (int byte = 0; byte < 256; ++byte) {
    alphabet.letter[byte] = static_cast<uint16_t>(prints(byte) ? byte : next++);
    alphabet.byte[alphabet.letter[byte]] = static_cast<int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet alphabet = make_alphabet();

}  // namespace

std::string byte_letter(uint8_t byte) {
  std::string text;
  append_utf8(text, alphabet.letter[byte]);
  return text;
}

bool append_spelled_bytes(std::string_view text, std::string& bytes) {
  const size_t before = bytes.size();
  for (size_t at = 0; at < text.size();) {
    const Utf8Prefix prefix = utf8_prefix(text.substr(at));
    const uint32_t letter = prefix.kind == Utf8Prefix::Kind::whole ? decode_valid(text, at).value : UINT32_MAX;
    if (letter >= alphabet.byte.size() || alphabet.byte[letter] < 0) {
      bytes.resize(before);
      return false;
    }
    bytes += static_cast<char>(alphabet.byte[letter]);
    at += prefix.size;
  }
  return true;
}

}  // namespace narae
