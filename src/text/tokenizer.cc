// SPDX-License-Identifier: Apache-2.0
// Checks tables, spells what each token adds to an output, and encodes around added tokens.
#include "text/tokenizer.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "text/byte_alphabet.h"
#include "text/detokenizer.h"
#include "text/segment_encoder.h"
#include "text/utf8.h"

namespace narae {
namespace {

constexpr size_t longest_text = size_t{1} << 30;

void check_id(const char* what, int32_t id, const TokenizerTables& tables) {
  if (id < -1 || id >= static_cast<int64_t>(tables.tokens.size())) {
    fail(ErrorCode::bad_file, "the {} token is {}, but there are {} tokens", what, id, tables.tokens.size());
  }
}

void check_added(const TokenizerTables& tables) {
  for (const AddedToken& token : tables.added) {
    if (token.id < 0) fail(ErrorCode::bad_file, "an added token has the id {}", token.id);
    check_id("added", token.id, tables);
    const TokenKind kind = tables.kinds[token.id];
    NARAE_CHECK(kind == TokenKind::control || kind == TokenKind::user);
    if (find_invalid_utf8(tables.tokens[token.id]) != std::string_view::npos) {
      fail(ErrorCode::bad_file, "the added token {} is not UTF-8", token.id);
    }
  }
}

const TokenizerTables& checked(const TokenizerTables& tables) {
  const size_t size = tables.tokens.size();
  if (size == 0) fail(ErrorCode::bad_file, "the vocabulary holds no token");
  if (size > size_t{1} << 26) fail(ErrorCode::bad_file, "the vocabulary holds {} tokens; at most 2^26 are read", size);
  NARAE_CHECK(tables.kinds.size() == size);
  if (!tables.scores.empty() && tables.scores.size() != size) {
    fail(ErrorCode::bad_file, "there are {} scores for {} tokens", tables.scores.size(), size);
  }
  if (tables.model == TokenizerModel::char_bpe && tables.merges.empty() && tables.scores.empty()) {
    fail(ErrorCode::bad_file, "there are neither merges nor scores");
  }
  check_id("begin", tables.begin, tables);
  check_id("end", tables.end, tables);
  check_id("unknown", tables.unknown, tables);
  check_id("padding", tables.padding, tables);
  for (const int32_t id : tables.stops) check_id("stop", id, tables);
  check_added(tables);
  return tables;
}

std::string without_blank_marks(std::string_view text) {
  constexpr std::string_view mark = "\xe2\x96\x81";
  std::string plain;
  for (size_t at = 0; at < text.size();) {
    const bool marked = text.substr(at, mark.size()) == mark;
    plain += marked ? ' ' : text[at];
    at += marked ? mark.size() : 1;
  }
  return plain;
}

std::string byte_token(int32_t id, std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  const bool spelled = text.size() == 6 && text.substr(0, 3) == "<0x" && text[5] == '>';
  if (!spelled || digit(text[3]) < 0 || digit(text[4]) < 0) {
    fail(ErrorCode::bad_file, "token {} is marked as a byte, but is not spelled <0xNN>", id);
  }
  return std::string(1, static_cast<char>(digit(text[3]) * 16 + digit(text[4])));
}

// A word begins with a blank, but not before these: as the reference decoder cleans up.
std::string word_piece(const TokenizerTables& tables, std::string_view text) {
  const bool marks_starts = tables.continuation.empty();
  const std::string_view mark = marks_starts ? tables.word_start : tables.continuation;
  const bool marked = text.substr(0, mark.size()) == mark;
  std::string bare(marked ? text.substr(mark.size()) : text);
  if (marked != marks_starts) return bare;
  constexpr std::array<std::string_view, 9> close = {".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"};
  const auto begins = [&](std::string_view sign) { return bare.compare(0, sign.size(), sign) == 0; };
  return std::any_of(close.begin(), close.end(), begins) ? bare : " " + bare;
}

std::string piece_of(const TokenizerTables& tables, int32_t id) {
  const std::string_view text = tables.tokens[id];
  const TokenKind kind = tables.kinds[id];
  const bool shown_as_spelled = kind == TokenKind::control || kind == TokenKind::unknown;
  switch (tables.model) {
    case TokenizerModel::byte_bpe: {
      std::string bytes;
      const bool spelled = !shown_as_spelled && kind != TokenKind::user && append_spelled_bytes(text, bytes);
      return spelled ? bytes : std::string(text);
    }
    case TokenizerModel::char_bpe:
      if (kind == TokenKind::byte) return byte_token(id, text);
      return shown_as_spelled ? std::string(text) : without_blank_marks(text);
    case TokenizerModel::wordpiece:
      return shown_as_spelled || kind == TokenKind::user ? " " + std::string(text) : word_piece(tables, text);
    case TokenizerModel::none: return std::string(text);
  }
  NARAE_CHECK(false);
}

StringTable pieces_of(const TokenizerTables& tables) {
  StringTable pieces;
  pieces.reserve(tables.tokens.size(), tables.tokens.bytes());
  for (size_t id = 0; id < tables.tokens.size(); ++id) pieces.add(piece_of(tables, static_cast<int32_t>(id)));
  return pieces;
}

class NoVocabulary final : public SegmentEncoder {
 public:
  void encode(std::string_view, bool, EncodeScratch&, std::vector<int32_t>&) const override {
    fail(ErrorCode::usage, "the model's file holds no vocabulary; give token ids instead of a text");
  }
};

std::unique_ptr<const SegmentEncoder> make_segments(const TokenizerTables& tables, const StringIndex& index) {
  switch (tables.model) {
    case TokenizerModel::byte_bpe: return make_byte_bpe(tables, index);
    case TokenizerModel::char_bpe: return make_char_bpe(tables, index);
    case TokenizerModel::wordpiece: return make_wordpiece(tables, index);
    case TokenizerModel::none: return std::make_unique<NoVocabulary>();
  }
  NARAE_CHECK(false);
}

// The token that a pair makes.
int32_t merged_token(const TokenizerTables& tables, const StringIndex& index, TokenMerge merge) {
  const auto in_range = [&](int32_t id) { return id >= 0 && static_cast<size_t>(id) < tables.tokens.size(); };
  NARAE_CHECK(in_range(merge.left) && in_range(merge.right));
  const std::string_view left = tables.tokens[merge.left];
  const std::string_view right = tables.tokens[merge.right];
  std::string both;
  both.reserve(left.size() + right.size());
  both.append(left).append(right);
  const int32_t id = index.find(both);
  if (id < 0) {
    fail(ErrorCode::bad_file, "the merge of tokens {} and {} makes \"{}\", which is no token", merge.left, merge.right,
         find_invalid_utf8(both) == both.npos ? both.substr(0, 60) : "(not UTF-8)");
  }
  return id;
}

}  // namespace

std::vector<Merge> listed_merges(const TokenizerTables& tables, const StringIndex& index) {
  std::vector<Merge> merges;
  merges.reserve(tables.merges.size());
  for (const TokenMerge& merge : tables.merges) {
    merges.push_back(
        {merge.left, merge.right, merged_token(tables, index, merge), static_cast<uint32_t>(merges.size())});
  }
  return merges;
}

Tokenizer::Tokenizer(TokenizerTables tables)
    : spellings_(checked(tables).tokens),
      pieces_(pieces_of(tables)),
      index_(spellings_),
      kinds_(tables.kinds),
      added_(tables),
      segments_(make_segments(tables, index_)),
      model_(tables.model),
      drops_first_blank_(model_ == TokenizerModel::wordpiece ||
                         (model_ == TokenizerModel::char_bpe && tables.space_prefix != SpacePrefix::none)),
      begin_(tables.begin),
      end_(tables.end),
      unknown_(tables.unknown),
      padding_(tables.padding),
      add_begin_(tables.add_begin && begin_ >= 0),
      add_end_(tables.add_end && end_ >= 0),
      stops_(std::move(tables.stops)),
      chat_template_(std::move(tables.chat_template)) {
  for (size_t id = 0; id < pieces_.size(); ++id) longest_piece_ = std::max(longest_piece_, pieces_[id].size());
}

Tokenizer::~Tokenizer() = default;

void Tokenizer::encode(std::string_view text, const EncodeOptions& options, std::vector<int32_t>& ids) const {
  if (text.size() >= longest_text) {
    fail(ErrorCode::does_not_fit, "a text of {} bytes is too long to tokenize at once: cut it below 2^30", text.size());
  }
  if (const size_t wrong = find_invalid_utf8(text); wrong != text.npos) {
    fail(ErrorCode::usage, "the text is not UTF-8: byte {} (0x{:02x}) is part of no character", wrong,
         static_cast<uint8_t>(text[wrong]));
  }
  if (options.begin && begin_ >= 0) ids.push_back(begin_);
  EncodeScratch scratch;
  for (size_t at = 0; at < text.size();) {
    const AddedTokens::Found found = added_.find(text, at, options.specials);
    if (found.begin > at) segments_->encode(text.substr(at, found.begin - at), at == 0, scratch, ids);
    if (found.id >= 0) ids.push_back(found.id);
    at = found.end;
  }
  if (options.end && end_ >= 0) ids.push_back(end_);
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<int32_t> ids;
  encode(text, options, ids);
  return ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool specials) const {
  std::string text;
  Detokenizer detokenizer(*this, {specials, false});
  for (const int32_t id : ids) detokenizer.push(id, text);
  detokenizer.flush(text);
  return text;
}

}  // namespace narae
