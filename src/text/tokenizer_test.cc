// SPDX-License-Identifier: Apache-2.0
// Encoding by small vocabularies: merges, added tokens, fallbacks, what is refused.
#include "text/tokenizer.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "text/made_tables_test.h"

namespace narae {
namespace {

using Ids = std::vector<int32_t>;

std::string refusal(TokenizerTables tables) {
  try {
    const Tokenizer made(std::move(tables));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_file);
    return error.message();
  }
  return "";
}

TEST(ByteBpe, MergesInsideWordsByRank) {
  const Tokenizer tokenizer(byte_tables({"a b", "b c", "ab c", "\u0120 ab"}));  // 256 ab, 257 bc, 258 abc, 259 Gab
  EXPECT_EQ(tokenizer.encode("abc"), Ids{258});
  EXPECT_EQ(tokenizer.encode("bcabc"), (Ids{257, 258}));
  EXPECT_EQ(tokenizer.encode("c abab"), (Ids{'c', 259, 256}));
  EXPECT_EQ(tokenizer.encode("\u00e9"), (Ids{0xc3, 0xa9}));
  EXPECT_EQ(tokenizer.encode(""), Ids{});
}

TEST(ByteBpe, WholeWordsFirstIgnoresMerges) {
  TokenizerTables tables = byte_tables({"a b", "c d"});
  add_token(tables, "abcd");
  EXPECT_EQ(Tokenizer(tables).encode("abcd"), (Ids{256, 257}));
  tables.whole_words_first = true;
  EXPECT_EQ(Tokenizer(tables).encode("abcd"), Ids{258});
}

TEST(ByteBpe, CutsDigitsAndComposes) {
  TokenizerTables tables = byte_tables({"1 2", "\u0120 1"});
  EXPECT_EQ(Tokenizer(tables).encode(" 12"), (Ids{' ', 256}));
  tables.digits_alone = true;
  EXPECT_EQ(Tokenizer(tables).encode(" 12"), (Ids{' ', '1', '2'}));
  tables.compose = true;
  EXPECT_EQ(Tokenizer(tables).encode("e\u0301"), (Ids{0xc3, 0xa9}));
}

TEST(AddedTokens, AreFoundLongestFirst) {
  TokenizerTables tables = byte_tables({});
  add_added(tables, "<|", TokenKind::control);                  // 256
  add_added(tables, "<|end|>", TokenKind::control);             // 257
  add_added(tables, "<tool>", TokenKind::user);                 // 258
  add_added(tables, "in", TokenKind::user).single_word = true;  // 259
  const Tokenizer tokenizer(std::move(tables));
  EXPECT_EQ(tokenizer.encode("a<|end|>", {false, false, true}), (Ids{'a', 257}));
  EXPECT_EQ(tokenizer.encode("<|en<tool>", {false, false, true}), (Ids{256, 'e', 'n', 258}));
  EXPECT_EQ(tokenizer.encode("<|<tool>"), (Ids{'<', '|', 258}));
  EXPECT_EQ(tokenizer.encode("in xin in"), (Ids{259, ' ', 'x', 'i', 'n', ' ', 259}));
}

TEST(AddedTokens, TakeBlanksAlong) {
  TokenizerTables tables = byte_tables({});
  add_added(tables, "<l>", TokenKind::control).left_strip = true;   // 256
  add_added(tables, "<r>", TokenKind::control).right_strip = true;  // 257
  const Tokenizer tokenizer(std::move(tables));
  const EncodeOptions specials{false, false, true};
  EXPECT_EQ(tokenizer.encode("a \u00a0<l> b", specials), (Ids{'a', 256, ' ', 'b'}));
  EXPECT_EQ(tokenizer.encode("a <r> \n\tb", specials), (Ids{'a', ' ', 257, 'b'}));
  EXPECT_EQ(tokenizer.encode("<r>  <l>", specials), (Ids{257, 256}));  // the blanks are gone already
}

TEST(CharBpe, GoesByScoreAndSpellsTheRestInBytes) {
  const std::string blank = "\u2581";
  // 259 blank, 260 a, 261 b, 262 _a, 263 ab, 264 _ab
  const Tokenizer tokenizer(sentencepiece_tables({blank, "a", "b", blank + "a", "ab", blank + "ab"}));
  EXPECT_EQ(tokenizer.encode("ab"), Ids{264});  // _a, then _ab
  EXPECT_EQ(tokenizer.encode("bab"), (Ids{259, 261, 263}));
  EXPECT_EQ(tokenizer.encode("a  b"), (Ids{262, 259, 259, 261}));
  EXPECT_EQ(tokenizer.encode("\u00e9"), (Ids{259, 3 + 0xc3, 3 + 0xa9}));
  EXPECT_EQ(tokenizer.encode("<s>"), (Ids{259, 3 + '<', 3 + 's', 3 + '>'}));
  EXPECT_EQ(tokenizer.encode("a<s>a", {true, true, true}), (Ids{1, 262, 1, 262, 2}));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(" a  \u00e9 b")), " a  \u00e9 b");
}

TEST(CharBpe, WithoutByteTokensThereIsTheUnknownOne) {
  TokenizerTables tables = sentencepiece_tables({"\u2581", "a"});
  tables.byte_fallback = false;
  EXPECT_EQ(Tokenizer(tables).encode("xya"), (Ids{259, 0, 260}));
  tables.fuse_unknown = false;
  EXPECT_EQ(Tokenizer(tables).encode("xya"), (Ids{259, 0, 0, 260}));
  tables.unknown = -1;
  EXPECT_NE(refusal(tables).find("unknown token"), std::string::npos);
}

TokenizerTables bert_tables() {
  TokenizerTables tables;
  tables.model = TokenizerModel::wordpiece;
  add_added(tables, "[UNK]", TokenKind::control);
  add_added(tables, "[CLS]", TokenKind::control);
  add_added(tables, "[SEP]", TokenKind::control);
  for (const char* text : {"play", "##ing", "##ed", "e", "##t", "!", "\u4e2d"}) add_token(tables, text);
  tables.unknown = 0;
  tables.begin = 1;
  tables.end = 2;
  tables.add_begin = tables.add_end = true;
  return tables;
}

TEST(WordPiece, CleansAndTakesTheLongest) {
  const Tokenizer tokenizer(bert_tables());
  EXPECT_EQ(tokenizer.encode("Playing!", tokenizer.defaults()), (Ids{1, 3, 4, 8, 2}));
  EXPECT_EQ(tokenizer.encode("PLAY\u200bED"), (Ids{3, 5}));
  EXPECT_EQ(tokenizer.encode("\u00c9t\u4e2dplayx play"), (Ids{6, 7, 9, 0, 3}));
  EXPECT_EQ(tokenizer.encode(std::string(101, 'e')), Ids{0});
  EXPECT_EQ(tokenizer.decode(Ids{1, 3, 4, 8, 3, 2}), "playing! play");
  EXPECT_EQ(tokenizer.decode(Ids{1, 3}, true), "[CLS] play");
}

TEST(WordPiece, KeepsWhatItIsToldToKeep) {
  TokenizerTables tables = bert_tables();
  tables.lower_case = tables.strip_accents = tables.split_cjk = false;
  EXPECT_EQ(Tokenizer(tables).encode("Play play\u4e2d \u4e2d"), (Ids{0, 0, 9}));
}

TEST(Tokenizer, WithoutAVocabularyTakesIdsOnly) {
  TokenizerTables tables;
  tables.model = TokenizerModel::none;
  for (const char* spelled : {"<0>", "<1>", "<2>"}) add_token(tables, spelled);
  const Tokenizer tokenizer(std::move(tables));
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{2, 0}), "<2><0>");
  EXPECT_TRUE(tokenizer.encode("").empty());
  try {
    tokenizer.encode("<1>");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_NE(std::string(error.what()).find("token ids"), std::string::npos);
  }
}

TEST(Tokenizer, RefusesTextThatIsNoText) {
  const Tokenizer tokenizer(byte_tables({}));
  for (const char* text : {"ab\xff", "\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80", "abcdefgh\x80"}) {
    try {
      tokenizer.encode(text);
      ADD_FAILURE() << "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage);
      EXPECT_NE(error.message().find("UTF-8"), std::string::npos);
    }
  }
  EXPECT_THROW(tokenizer.decode(Ids{256}), Error);
  EXPECT_THROW(tokenizer.decode(Ids{-1}), Error);
}

TEST(Tokenizer, RefusesTablesByName) {
  EXPECT_NE(refusal({}).find("no token"), std::string::npos);
  TokenizerTables tables = byte_tables({});
  tables.begin = 256;
  EXPECT_NE(refusal(tables).find("begin"), std::string::npos);
  tables = byte_tables({});
  tables.stops = {-7};
  EXPECT_NE(refusal(tables).find("stop"), std::string::npos);
  tables = byte_tables({});
  tables.merges.push_back({'x', 'y'});
  EXPECT_NE(refusal(tables).find("\"xy\""), std::string::npos);
  tables = byte_tables({});
  add_added(tables, "\xff", TokenKind::user);
  EXPECT_NE(refusal(tables).find("256"), std::string::npos);
  tables = sentencepiece_tables({"a"});
  tables.scores.pop_back();
  EXPECT_NE(refusal(tables).find("scores"), std::string::npos);
  tables = sentencepiece_tables({std::string(2000, 'a')});
  EXPECT_NE(refusal(tables).find("2000"), std::string::npos);
  tables = bert_tables();
  tables.unknown = -1;
  EXPECT_NE(refusal(tables).find("[UNK]"), std::string::npos);
}

}  // namespace
}  // namespace narae
