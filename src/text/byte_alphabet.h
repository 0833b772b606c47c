// SPDX-License-Identifier: Apache-2.0
// GPT-2's alphabet: a printable character for each byte, so that tokens of byte-level BPE can be written as text.
// Bytes that print in Latin-1 stand for themselves, the other 68 are U+0100 and following, in order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace narae {

// The character that stands for `byte`.
std::string byte_letter(uint8_t byte);

// Appends the bytes that `text` spells; false, with nothing appended, when a character stands for no byte (or text is
// not UTF-8).
bool append_spelled_bytes(std::string_view text, std::string& bytes);

}  // namespace narae
