// SPDX-License-Identifier: Apache-2.0
// SentencePiece BPE: blanks become U+2581, characters are merged by rank or score, and characters that are no token are
// spelled in byte tokens. Source: Kudo and Richardson, 2018 (arXiv 1808.06226).
#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "text/segment_encoder.h"
#include "text/utf8.h"

namespace narae {
namespace {

constexpr std::string_view blank = "\xe2\x96\x81";
constexpr size_t longest_token = 1024;  // where merges are found by cutting tokens in two everywhere

// An id below 0 for a character that is no token.
int32_t unknown_symbol(uint32_t code_point) { return -2 - static_cast<int32_t>(code_point); }
uint32_t symbol_code_point(int32_t symbol) { return static_cast<uint32_t>(-2 - symbol); }

bool is_text(TokenKind kind) {
  return kind == TokenKind::normal || kind == TokenKind::user || kind == TokenKind::unused;
}

// A piece of text as one symbol: its token, or the one character it is; -1 for anything else.
int32_t symbol_of(std::string_view text, const TokenizerTables& tables, const StringIndex& index) {
  const int32_t id = index.find(text);
  if (id >= 0 && is_text(tables.kinds[id])) return id;
  const CodePoint c = decode_valid(text, 0);
  return c.size == text.size() ? unknown_symbol(c.value) : -1;
}

// Ranks such that a higher score comes first and equal scores are equal.
std::vector<uint32_t> ranks_of(const std::vector<float>& scores) {
  std::vector<float> sorted = scores;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<uint32_t> ranks;
  ranks.reserve(scores.size());
  for (const float score : scores) {
    const auto found = std::lower_bound(sorted.begin(), sorted.end(), score, std::greater<>());
    ranks.push_back(static_cast<uint32_t>(found - sorted.begin()));
  }
  return ranks;
}

std::vector<Merge> merges_by_score(const TokenizerTables& tables, const StringIndex& index) {
  const auto nan = std::find_if(tables.scores.begin(), tables.scores.end(), [](float s) { return std::isnan(s); });
  if (nan != tables.scores.end()) {
    fail(ErrorCode::bad_file, "the score of token {} is no number", nan - tables.scores.begin());
  }
  const std::vector<uint32_t> ranks = ranks_of(tables.scores);
  std::vector<Merge> merges;
  merges.reserve(tables.tokens.size() * 4);
  for (size_t id = 0; id < tables.tokens.size(); ++id) {
    const std::string_view text = tables.tokens[id];
    if (!is_text(tables.kinds[id]) || text.empty()) continue;
    if (text.size() > longest_token) {
      fail(ErrorCode::bad_file, "token {} has {} bytes; at most {} are read", id, text.size(), longest_token);
    }
    if (find_invalid_utf8(text) != text.npos) fail(ErrorCode::bad_file, "token {} is not UTF-8", id);
    if (index.find(text) != static_cast<int32_t>(id)) continue;  // the first of equal tokens is the one
    for (size_t cut = decode_valid(text, 0).size; cut < text.size(); cut += decode_valid(text, cut).size) {
      const int32_t left = symbol_of(text.substr(0, cut), tables, index);
      if (left == -1) continue;
      const int32_t right = symbol_of(text.substr(cut), tables, index);
      if (right != -1) merges.push_back({left, right, static_cast<int32_t>(id), ranks[id]});
    }
  }
  return merges;
}

std::vector<Merge> char_merges(const TokenizerTables& tables, const StringIndex& index) {
  return tables.merges.empty() ? merges_by_score(tables, index) : listed_merges(tables, index);
}

// Whether no merge reaches over a place where a blank follows something else: then words can be merged one by one.
bool words_stand_alone(const TokenizerTables& tables, const std::vector<Merge>& merges) {
  return std::none_of(merges.begin(), merges.end(), [&](const Merge& merge) {
    const std::string_view text = tables.tokens[merge.into];
    for (size_t at = text.find(blank, 1); at != text.npos; at = text.find(blank, at + 1)) {
      if (at < blank.size() || text.substr(at - blank.size(), blank.size()) != blank) return true;
    }
    return false;
  });
}

class CharBpe final : public SegmentEncoder {
 public:
  CharBpe(const TokenizerTables& tables, const StringIndex& index, const std::vector<Merge>& merges)
      : rules_(merges),
        index_(index),
        prefix_(tables.space_prefix),
        prefix_once_(tables.space_prefix_once),
        by_words_(words_stand_alone(tables, merges)),
        fuse_unknown_(tables.fuse_unknown),
        unknown_(tables.unknown) {
    is_text_.resize(tables.kinds.size());
    for (size_t id = 0; id < tables.kinds.size(); ++id) is_text_[id] = is_text(tables.kinds[id]);
    bool all = tables.byte_fallback;
    for (int byte = 0; byte < 256; ++byte) {
      byte_ids_[byte] = index.find(fmt::format("<0x{:02X}>", byte));
      all = all && byte_ids_[byte] >= 0;
    }
    byte_fallback_ = all;
    if (!all && unknown_ < 0) {
      fail(ErrorCode::bad_file, "there are neither 256 byte tokens <0x00> to <0xFF> nor an unknown token");
    }
    for (uint32_t c = 0; c < low_.size(); ++c) {
      std::string text;
      append_utf8(text, c);
      low_[c] = look_up(text, c);
    }
  }

  void encode(std::string_view text, bool first, EncodeScratch& scratch, std::vector<int32_t>& ids) const override {
    std::string& spelled = scratch.text;
    spelled.clear();
    const bool prefixed = prefix_ == SpacePrefix::always || (prefix_ == SpacePrefix::first && first);
    const bool blank_there = text[0] == ' ' || text.substr(0, blank.size()) == blank;
    if (prefixed && !(prefix_once_ && blank_there)) spelled += blank;
    for (const char c : text) c == ' ' ? void(spelled += blank) : spelled.push_back(c);

    std::vector<int32_t>& symbols = scratch.symbols;
    symbols.clear();
    bool last_blank = true;
    for (size_t at = 0; at < spelled.size();) {
      const CodePoint c = decode_valid(spelled, at);
      const bool is_blank = c.value == 0x2581;
      if (by_words_ && is_blank && !last_blank) merge_word(scratch, ids);
      last_blank = is_blank;
      symbols.push_back(c.value < low_.size() ? low_[c.value] : look_up({spelled.data() + at, c.size}, c.value));
      at += c.size;
    }
    merge_word(scratch, ids);
  }

 private:
  int32_t look_up(std::string_view text, uint32_t code_point) const {
    const int32_t id = index_.find(text);
    return id >= 0 && is_text_[id] ? id : unknown_symbol(code_point);
  }

  void merge_word(EncodeScratch& scratch, std::vector<int32_t>& ids) const {
    const size_t count = rules_.merge(scratch.symbols.data(), scratch.symbols.size(), scratch.merge);
    bool after_unknown = false;
    for (size_t i = 0; i < count; ++i) {
      const int32_t symbol = scratch.symbols[i];
      const bool is_unknown = symbol < 0 && !byte_fallback_;
      if (symbol >= 0) {
        ids.push_back(symbol);
      } else if (!is_unknown) {
        scratch.other.clear();
        append_utf8(scratch.other, symbol_code_point(symbol));
        for (const char byte : scratch.other) ids.push_back(byte_ids_[static_cast<uint8_t>(byte)]);
      } else if (!(fuse_unknown_ && after_unknown)) {
        ids.push_back(unknown_);
      }
      after_unknown = is_unknown;
    }
    scratch.symbols.clear();
  }

  MergeRules rules_;
  const StringIndex& index_;
  SpacePrefix prefix_;
  bool prefix_once_;
  bool by_words_;
  bool byte_fallback_;
  bool fuse_unknown_;
  int32_t unknown_;
  std::vector<bool> is_text_;
  std::array<int32_t, 256> byte_ids_;
  std::array<int32_t, 0x250> low_;  // symbols of the commonest characters
};

}  // namespace

std::unique_ptr<const SegmentEncoder> make_char_bpe(const TokenizerTables& tables, const StringIndex& index) {
  return std::make_unique<CharBpe>(tables, index, char_merges(tables, index));
}

}  // namespace narae
