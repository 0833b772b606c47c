// SPDX-License-Identifier: Apache-2.0
// Never half a character, whatever ids come; nothing lost or taken back.
#include "text/detokenizer.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "text/made_tables_test.h"
#include "text/utf8.h"

namespace narae {
namespace {

const std::string fffd(replacement_character);

// The text after each push and, last, after the flush.
std::vector<std::string> steps(const Tokenizer& tokenizer, const std::vector<int32_t>& ids,
                               DetokenizerOptions options = {}) {
  Detokenizer detokenizer(tokenizer, options);
  std::vector<std::string> texts(1);
  for (const int32_t id : ids) {
    texts.push_back(texts.back());
    detokenizer.push(id, texts.back());
  }
  texts.push_back(texts.back());
  detokenizer.flush(texts.back());
  texts.erase(texts.begin());
  return texts;
}

using Texts = std::vector<std::string>;

TEST(Detokenizer, HoldsBackTheBeginningOfACharacter) {
  const Tokenizer bytes(byte_tables({}));
  EXPECT_EQ(steps(bytes, {'a', 0xf0, 0x9f, 0x98, 0x80, 'b'}),
            (Texts{"a", "a", "a", "a", "a\U0001f600", "a\U0001f600b", "a\U0001f600b"}));
  EXPECT_EQ(steps(bytes, {0xc3, 0xa9}), (Texts{"", "\u00e9", "\u00e9"}));
  EXPECT_EQ(steps(bytes, {0xe2, 0x82}), (Texts{"", "", fffd}));  // one for the longest part
}

TEST(Detokenizer, ReplacesAsTheReferencesDo) {
  const Tokenizer bytes(byte_tables({}));
  EXPECT_EQ(steps(bytes, {0xe2, 0x82, 'a'}).back(), fffd + "a");
  EXPECT_EQ(steps(bytes, {0xe2, 0xe2, 0x82, 0xac}).back(), fffd + "\u20ac");
  EXPECT_EQ(steps(bytes, {0xff, 0x80, 0xc0}).back(), fffd + fffd + fffd);
  EXPECT_EQ(steps(bytes, {0xed, 0xa0, 0x80}).back(), fffd + fffd + fffd);  // a surrogate is no character
  EXPECT_EQ(steps(bytes, {0xf0, 0x9f, 0x98, 0xc3, 0xa9}).back(), fffd + "\u00e9");
  const Tokenizer pieces(sentencepiece_tables({"\u2581", "a"}));
  EXPECT_EQ(steps(pieces, {3 + 0xe2, 3 + 0x82, 260}).back(), fffd + fffd + "a");  // one for each byte
  EXPECT_EQ(steps(pieces, {3 + 0xe2, 3 + 0x82}).back(), fffd + fffd);
  EXPECT_EQ(steps(pieces, {3 + 0xc3, 3 + 0xa9}).back(), "\u00e9");
}

TEST(Detokenizer, DropsTheBlankThatWasPutBefore) {
  const Tokenizer tokenizer(sentencepiece_tables({"\u2581", "a", "\u2581a"}));  // 259, 260, 261
  EXPECT_EQ(steps(tokenizer, {1, 261, 261}).back(), "a a");
  EXPECT_EQ(steps(tokenizer, {259, 261}).back(), " a");
  EXPECT_EQ(steps(tokenizer, {260, 259, 259}).back(), "a  ");
  EXPECT_EQ(steps(tokenizer, {261}, {false, true}).back(), " a");
  EXPECT_EQ(steps(tokenizer, {1, 261}, {true, false}).back(), "<s> a");
  Detokenizer again(tokenizer);
  std::string text;
  for (int i = 0; i < 2; ++i) {
    again.push(261, text);
    again.flush(text);
  }
  EXPECT_EQ(text, "aa");
}

TEST(Detokenizer, RandomIdsGiveWholeCharactersOnly) {
  TokenizerTables tables = byte_tables({});
  add_token(tables, "\u00c3\u00a9\u00e2");  // the bytes c3 a9 e2
  add_token(tables, "\u00c2\u00ac\u00f0");
  add_added(tables, "<|x|>", TokenKind::control);
  const Tokenizer tokenizer(std::move(tables));
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<int32_t> ids;
    for (int i = 0; i < 60; ++i)
      ids.push_back(static_cast<int32_t>(random() % 4 ? 128 + random() % 131 : random() % 259));
    std::string before;
    for (const std::string& text : steps(tokenizer, ids)) {
      ASSERT_EQ(find_invalid_utf8(text), text.npos);
      ASSERT_EQ(text.substr(0, before.size()), before);
      before = text;
    }
    ASSERT_EQ(before, tokenizer.decode(ids));
  }
}

TEST(Detokenizer, RefusesIdsThatAreNone) {
  const Tokenizer tokenizer(byte_tables({}));
  Detokenizer detokenizer(tokenizer);
  std::string text;
  EXPECT_THROW(detokenizer.push(-1, text), Error);
  EXPECT_THROW(detokenizer.push(256, text), Error);
  EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace narae
