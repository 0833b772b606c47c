// SPDX-License-Identifier: Apache-2.0
// Search for added tokens; flags as Hugging Face tokenizers apply them.
#include "text/added_tokens.h"

#include <utf8proc.h>

#include "text/char_class.h"
#include "text/utf8.h"

namespace narae {
namespace {

// Start of the character that ends at `end` > 0.
size_t back_one(std::string_view text, size_t end) {
  do {
    --end;
  } while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80);
  return end;
}

// Letters, marks, numbers and connecting signs: \w.
bool is_word_char(uint32_t c) {
  const auto kind = char_class(c);
  if (kind == CharClass::letter || kind == CharClass::number || c == '_') return true;
  if (c < 128) return false;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME ||
         category == UTF8PROC_CATEGORY_PC;
}

bool beside_word(std::string_view text, size_t begin, size_t end) {
  return (begin > 0 && is_word_char(decode_valid(text, back_one(text, begin)).value)) ||
         (end < text.size() && is_word_char(decode_valid(text, end).value));
}

bool is_space(std::string_view text, size_t at) { return char_class(decode_valid(text, at).value) == CharClass::space; }

}  // namespace

AddedTokens::AddedTokens(const TokenizerTables& tables) {
  for (const AddedToken& token : tables.added) {
    const std::string_view text = tables.tokens[token.id];
    if (text.empty()) continue;
    trie_.add(text, static_cast<int32_t>(rules_.size()));
    rules_.push_back({token, tables.kinds[token.id] == TokenKind::control});
    begins_[static_cast<uint8_t>(text[0])] = true;
  }
}

AddedTokens::Found AddedTokens::find(std::string_view text, size_t at, bool specials) const {
  const size_t from = at;
  const auto counts = [&](int32_t rule) { return specials || !rules_[rule].control; };
  for (; !rules_.empty() && at < text.size(); ++at) {
    if (!begins_[static_cast<uint8_t>(text[at])]) continue;
    const TokenTrie::Match match = trie_.longest(text, at, counts);
    if (match.id < 0) continue;
    const AddedToken& token = rules_[match.id].token;
    size_t begin = at;
    size_t end = at + match.size;
    if (token.single_word && beside_word(text, begin, end)) {
      at = end - 1;  // nothing inside it is looked at either
      continue;
    }
    if (token.left_strip) {
      while (begin > from && is_space(text, back_one(text, begin))) begin = back_one(text, begin);
    }
    if (token.right_strip) {
      while (end < text.size() && is_space(text, end)) end += decode_valid(text, end).size;
    }
    return {token.id, begin, end};
  }
  return {-1, text.size(), text.size()};
}

}  // namespace narae
