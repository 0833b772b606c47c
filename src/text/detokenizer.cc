// SPDX-License-Identifier: Apache-2.0
// Detokenizing. Byte-level BPE replaces each longest wrong part by one U+FFFD, SentencePiece each wrong byte: as their
// reference decoders do.
#include "text/detokenizer.h"

#include <cstring>

#include "base/error.h"
#include "text/utf8.h"

namespace narae {

Detokenizer::Detokenizer(const Tokenizer& tokenizer, const DetokenizerOptions& options)
    : tokenizer_(&tokenizer),
      options_(options),
      at_begin_(!options.continues && tokenizer.drops_first_blank()),
      byte_by_byte_(tokenizer.model() == TokenizerModel::char_bpe) {}

void Detokenizer::push(int32_t id, std::string& text) {
  if (id < 0 || id >= tokenizer_->size()) {
    fail(ErrorCode::usage, "{} is no token id: the vocabulary holds 0 to {}", id, tokenizer_->size() - 1);
  }
  const TokenKind kind = tokenizer_->kind(id);
  if (!options_.specials && (kind == TokenKind::control || kind == TokenKind::unknown)) return;
  std::string_view piece = tokenizer_->piece(id);
  if (piece.empty()) return;
  if (at_begin_ && piece[0] == ' ') piece.remove_prefix(1);
  at_begin_ = false;
  push_bytes(piece, text);
}

void Detokenizer::replace(size_t bytes, std::string& text) const {
  for (size_t i = 0; i < (byte_by_byte_ ? bytes : 1); ++i) text += replacement_character;
}

void Detokenizer::push_bytes(std::string_view bytes, std::string& text) {
  using Kind = Utf8Prefix::Kind;
  while (held_size_ > 0 && !bytes.empty()) {
    held_[held_size_++] = bytes[0];
    const Utf8Prefix prefix = utf8_prefix({held_, held_size_});
    if (prefix.kind == Kind::invalid) {  // never because of bytes before the last
      replace(--held_size_, text);
      held_size_ = 0;
      break;
    }
    bytes.remove_prefix(1);
    if (prefix.kind == Kind::whole) {
      text.append(held_, held_size_);
      held_size_ = 0;
    }
  }
  while (!bytes.empty()) {
    const Utf8Prefix prefix = utf8_prefix(bytes);
    if (prefix.kind == Kind::whole) {
      text.append(bytes.substr(0, prefix.size));
    } else if (prefix.kind == Kind::invalid) {
      replace(prefix.size, text);
    } else {
      std::memcpy(held_, bytes.data(), prefix.size);
      held_size_ = prefix.size;
    }
    bytes.remove_prefix(prefix.size);
  }
}

void Detokenizer::flush(std::string& text) {
  if (held_size_ > 0) replace(held_size_, text);
  held_size_ = 0;
  at_begin_ = !options_.continues && tokenizer_->drops_first_blank();
}

}  // namespace narae
