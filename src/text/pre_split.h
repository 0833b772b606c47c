// SPDX-License-Identifier: Apache-2.0
// Pre-tokenizers: where a text is cut into the words inside which byte-level BPE merges. Each is a published regular
// expression, matched here by hand from left to right; they must agree with it on every valid text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace narae {

enum class PreSplit : uint8_t {
  none,    // the text is one word
  gpt2,    // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  llama3,  // (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|..
  qwen2,   // the same with \p{N} in place of \p{N}{1,3}
};

// End of the word that begins at `at` < text.size(); above `at`. The text is valid UTF-8 and `at` begins a character.
using NextWord = size_t (*)(std::string_view text, size_t at);
NextWord next_word(PreSplit split);

// Cuts for "each digit alone" (\p{N} isolated) before another pre-tokenizer: the end of the run at `at` without
// numbers, or of the one number there.
size_t next_digit_cut(std::string_view text, size_t at);

}  // namespace narae
