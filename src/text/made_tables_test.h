// SPDX-License-Identifier: Apache-2.0
// Small vocabularies for tests.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "text/byte_alphabet.h"
#include "text/string_table.h"
#include "text/tokenizer_tables.h"

namespace narae {

inline void add_token(TokenizerTables& tables, std::string_view text, TokenKind kind = TokenKind::normal) {
  tables.tokens.add(text);
  tables.kinds.push_back(kind);
}

inline AddedToken& add_added(TokenizerTables& tables, std::string_view text, TokenKind kind) {
  tables.added.push_back({static_cast<int32_t>(tables.tokens.size())});
  add_token(tables, text, kind);
  return tables.added.back();
}

// All bytes (id = byte), then a token for each merge, "left right" in GPT-2's alphabet.
inline TokenizerTables byte_tables(std::initializer_list<std::string_view> merges) {
  TokenizerTables tables;
  for (int byte = 0; byte < 256; ++byte) add_token(tables, byte_letter(static_cast<uint8_t>(byte)));
  for (const std::string_view merge : merges) {
    const size_t blank = merge.find(' ');
    const StringIndex index(tables.tokens);
    tables.merges.push_back({index.find(merge.substr(0, blank)), index.find(merge.substr(blank + 1))});
    add_token(tables, std::string(merge.substr(0, blank)) + std::string(merge.substr(blank + 1)));
  }
  return tables;
}

// <unk>, <s>, </s>, 256 byte tokens from id 3 on, then `pieces` from id 259 on, each with a lower score.
inline TokenizerTables sentencepiece_tables(std::initializer_list<std::string_view> pieces) {
  TokenizerTables tables;
  tables.model = TokenizerModel::char_bpe;
  tables.space_prefix = SpacePrefix::always;
  add_token(tables, "<unk>", TokenKind::unknown);
  add_added(tables, "<s>", TokenKind::control);
  add_added(tables, "</s>", TokenKind::control);
  for (int byte = 0; byte < 256; ++byte) {
    constexpr const char* digits = "0123456789ABCDEF";
    add_token(tables, std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">", TokenKind::byte);
  }
  for (const std::string_view piece : pieces) add_token(tables, piece);
  for (size_t id = 0; id < tables.tokens.size(); ++id) tables.scores.push_back(-static_cast<float>(id));
  tables.unknown = 0;
  tables.begin = 1;
  tables.end = 2;
  tables.add_begin = true;
  return tables;
}

}  // namespace narae
