// SPDX-License-Identifier: Apache-2.0
// WordPiece as BERT uses it: clean, take accents off, lower the case, cut at blanks, signs and CJK characters, then the
// longest tokens from the left. A word that does not come out even is one unknown token.
#include <utf8proc.h>

#include "base/error.h"
#include "text/char_class.h"
#include "text/segment_encoder.h"
#include "text/token_trie.h"
#include "text/utf8.h"

namespace narae {
namespace {

utf8proc_category_t category(uint32_t c) {
  return static_cast<utf8proc_category_t>(utf8proc_category(static_cast<utf8proc_int32_t>(c)));
}

bool is_cjk(uint32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2b73f) || (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b820 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

bool is_sign(uint32_t c) {
  if (c < 128) return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  const auto kind = category(c);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO;
}

// Control, format and private characters, which cleaning takes out.
bool is_noise(uint32_t c) {
  if (c < 0x7f) return c < 0x20 && c != '\t' && c != '\n' && c != '\r';
  if (c == 0xfffd) return true;
  const auto kind = category(c);
  return kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF || kind == UTF8PROC_CATEGORY_CO;
}

class WordPiece final : public SegmentEncoder {
 public:
  explicit WordPiece(const TokenizerTables& tables)
      : unknown_(tables.unknown),
        longest_word_(static_cast<size_t>(tables.longest_word)),
        lower_case_(tables.lower_case),
        strip_accents_(tables.strip_accents),
        split_cjk_(tables.split_cjk),
        clean_text_(tables.clean_text) {
    if (unknown_ < 0) fail(ErrorCode::bad_file, "a WordPiece vocabulary needs an unknown token, such as [UNK]");
    if (tables.continuation.empty() == tables.word_start.empty()) {
      fail(ErrorCode::bad_file, "a WordPiece vocabulary marks word starts or continuations, not both or neither");
    }
    const bool marks_starts = tables.continuation.empty();
    const std::string_view mark = marks_starts ? tables.word_start : tables.continuation;
    for (size_t id = 0; id < tables.tokens.size(); ++id) {
      if (tables.kinds[id] != TokenKind::normal && tables.kinds[id] != TokenKind::user) continue;
      const std::string_view text = tables.tokens[id];
      const bool marked = text.substr(0, mark.size()) == mark;
      TokenTrie& trie = marked == marks_starts ? starts_ : inside_;
      trie.add(marked ? text.substr(mark.size()) : text, static_cast<int32_t>(id));
    }
  }

  void encode(std::string_view text, bool, EncodeScratch& scratch, std::vector<int32_t>& ids) const override {
    Word word{scratch.text, 0};
    word.text.clear();
    for (size_t at = 0; at < text.size();) {
      const CodePoint c = decode_valid(text, at);
      at += c.size;
      if (clean_text_ && is_noise(c.value)) continue;
      const bool alone = split_cjk_ && is_cjk(c.value);
      if (alone) end_word(word, ids);
      add_bare(c.value, word, ids);
      if (alone) end_word(word, ids);
    }
    end_word(word, ids);
  }

 private:
  struct Word {
    std::string& text;
    size_t characters;
  };

  // Without accents, in lower case, as set.
  void add_bare(uint32_t c, Word& word, std::vector<int32_t>& ids) const {
    if (c < 128 || !strip_accents_) return add_lowered(c, word, ids);
    utf8proc_int32_t parts[32];
    int last = 0;
    const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, 32, UTF8PROC_DECOMPOSE, &last);
    for (utf8proc_ssize_t i = 0; i < count && i < 32; ++i) {
      const auto part = static_cast<uint32_t>(parts[i]);
      if (category(part) != UTF8PROC_CATEGORY_MN) add_lowered(part, word, ids);
    }
  }

  void add_lowered(uint32_t c, Word& word, std::vector<int32_t>& ids) const {
    if (!lower_case_) return add(c, word, ids);
    if (c < 128) return add(c >= 'A' && c <= 'Z' ? c | 0x20 : c, word, ids);
    if (c == 0x130) {  // the one letter whose lower case is two characters
      add('i', word, ids);
      return add(0x307, word, ids);
    }
    add(static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))), word, ids);
  }

  void add(uint32_t c, Word& word, std::vector<int32_t>& ids) const {
    const bool sign = is_sign(c);
    if (sign || char_class(c) == CharClass::space) end_word(word, ids);
    if (!sign && char_class(c) == CharClass::space) return;
    append_utf8(word.text, c);
    ++word.characters;
    if (sign) end_word(word, ids);
  }

  void end_word(Word& word, std::vector<int32_t>& ids) const {
    if (word.characters == 0) return;
    const size_t before = ids.size();
    const auto any = [](int32_t) { return true; };
    bool known = word.characters <= longest_word_;
    for (size_t at = 0; known && at < word.text.size();) {
      const TokenTrie::Match match = (at == 0 ? starts_ : inside_).longest(word.text, at, any);
      known = match.id >= 0;
      if (known) ids.push_back(match.id);
      at += match.size;
    }
    if (!known) {
      ids.resize(before);
      ids.push_back(unknown_);
    }
    word.text.clear();
    word.characters = 0;
  }

  TokenTrie starts_, inside_;
  int32_t unknown_;
  size_t longest_word_;
  bool lower_case_, strip_accents_, split_cjk_, clean_text_;
};

}  // namespace

std::unique_ptr<const SegmentEncoder> make_wordpiece(const TokenizerTables& tables, const StringIndex&) {
  return std::make_unique<WordPiece>(tables);
}

}  // namespace narae
