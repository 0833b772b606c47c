// SPDX-License-Identifier: Apache-2.0
// Token ids to text, one at a time. What comes out is always whole characters of UTF-8: the beginning of one is held
// back until it is complete or known to be none (then it is U+FFFD).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace narae {

struct DetokenizerOptions {
  bool specials = false;   // tokens of kind control show their spelling
  bool continues = false;  // follows other text: a blank at the beginning is meant
};

class Detokenizer {
 public:
  // Refers to the tokenizer, which must outlive it.
  explicit Detokenizer(const Tokenizer& tokenizer, const DetokenizerOptions& options = {});

  // Appends to `text` what `id` completes. Throws Error usage when it is no token's.
  void push(int32_t id, std::string& text);
  // Nothing follows: what is held back is no character. Ready for another text afterwards.
  void flush(std::string& text);

 private:
  void push_bytes(std::string_view bytes, std::string& text);
  void replace(size_t bytes, std::string& text) const;

  const Tokenizer* tokenizer_;
  DetokenizerOptions options_;
  bool at_begin_;
  bool byte_by_byte_;  // each wrong byte becomes a U+FFFD of its own
  char held_[4];       // the beginning of a character
  size_t held_size_ = 0;
};

}  // namespace narae
