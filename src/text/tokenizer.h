// SPDX-License-Identifier: Apache-2.0
// Text to token ids and back. Immutable once made: any number of threads may use one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/added_tokens.h"
#include "text/string_table.h"
#include "text/tokenizer_tables.h"

namespace narae {

struct EncodeOptions {
  bool begin = false;     // BOS or [CLS] first, where there is one
  bool end = false;       // EOS or [SEP] last, where there is one
  bool specials = false;  // control tokens written out in the text, such as <|im_end|>, become their ids
};

// The text between added tokens to ids, by one of the models.
class SegmentEncoder;

class Tokenizer {
 public:
  // Throws Error bad_file that names the token or table that cannot be.
  explicit Tokenizer(TokenizerTables tables);
  ~Tokenizer();

  // Appends the ids of `text`. Throws Error usage when it is not UTF-8 (naming the byte), does_not_fit from 1 GiB.
  void encode(std::string_view text, const EncodeOptions& options, std::vector<int32_t>& ids) const;
  std::vector<int32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;

  // The whole text of `ids`, always valid UTF-8. Without `specials` tokens of kind control say nothing.
  // Throws Error usage when an id is no token's. Token by token: text/detokenizer.h.
  std::string decode(std::span<const int32_t> ids, bool specials = false) const;

  int32_t size() const { return static_cast<int32_t>(kinds_.size()); }
  // The id of the token that the file spells so, or -1.
  int32_t find(std::string_view spelling) const { return index_.find(spelling); }
  std::string_view spelling(int32_t id) const { return spellings_[id]; }
  // Bytes that `tokens` of them can stand for at the very most; white space of wordpiece models aside.
  size_t most_bytes(int64_t tokens) const { return 4 * static_cast<size_t>(tokens) * longest_piece_; }
  // What a token adds to an output: bytes, maybe of a part of a character.
  std::string_view piece(int32_t id) const { return pieces_[id]; }
  TokenKind kind(int32_t id) const { return kinds_[id]; }
  TokenizerModel model() const { return model_; }
  // Whether the first blank of an output was put there by encode().
  bool drops_first_blank() const { return drops_first_blank_; }

  // -1: there is none.
  int32_t begin() const { return begin_; }
  int32_t end() const { return end_; }
  int32_t unknown() const { return unknown_; }
  int32_t padding() const { return padding_; }
  const std::vector<int32_t>& stops() const { return stops_; }
  // What the model was trained with: begin and end as its files say.
  EncodeOptions defaults() const { return {add_begin_, add_end_, false}; }
  const std::string& chat_template() const { return chat_template_; }

 private:
  StringTable spellings_;
  StringTable pieces_;
  size_t longest_piece_ = 1;
  StringIndex index_;
  std::vector<TokenKind> kinds_;
  AddedTokens added_;
  std::unique_ptr<const SegmentEncoder> segments_;
  TokenizerModel model_;
  bool drops_first_blank_;
  int32_t begin_, end_, unknown_, padding_;
  bool add_begin_, add_end_;
  std::vector<int32_t> stops_;
  std::string chat_template_;
};

}  // namespace narae
