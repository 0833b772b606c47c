// SPDX-License-Identifier: Apache-2.0
#include "llm/text_stream.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "text/made_tables_test.h"

namespace narae {
namespace {

// Bytes as tokens: every text one byte at a time.
struct TextStreamTest : testing::Test {
  Tokenizer tokenizer{byte_tables({})};
  // What came after each byte; the last piece ends with `finish`.
  std::vector<std::string> parts(const std::string& text, TextStream& stream, Finish finish = Finish::length) {
    std::vector<std::string> seen;
    for (size_t i = 0; i < text.size(); ++i) {
      Piece piece;
      piece.token = static_cast<uint8_t>(text[i]);
      if (i + 1 == text.size()) piece.finish = finish;
      std::string out;
      const bool on = stream.push(piece, out);
      seen.push_back(out);
      if (!on) break;
    }
    return seen;
  }
};

using Parts = std::vector<std::string>;

TEST_F(TextStreamTest, WholeCharactersAtOnce) {
  TextStream stream(tokenizer, {});
  EXPECT_EQ(parts("a\xc3\xa9z", stream), (Parts{"a", "", "\xc3\xa9", "z"}));
  EXPECT_EQ(stream.finish(), Finish::length);
  TextStream cut(tokenizer, {});
  EXPECT_EQ(parts("a\xc3", cut), (Parts{"a", "\xef\xbf\xbd"}));
}

TEST_F(TextStreamTest, WhatMayBecomeAStopIsHeldBack) {
  TextStream stream(tokenizer, {"END", "EEN"});
  EXPECT_EQ(parts("aEEx", stream), (Parts{"a", "", "", "EEx"}));
  TextStream stops(tokenizer, {"END"});
  EXPECT_EQ(parts("aENEND later", stops), (Parts{"a", "", "", "EN", "", ""}));
  EXPECT_TRUE(stops.stopped());
  EXPECT_EQ(stops.finish(), Finish::stop);
  std::string more;
  EXPECT_FALSE(stops.push({0, 'x', 0, Finish::none}, more));
  EXPECT_EQ(more, "");
  TextStream almost(tokenizer, {"END"});
  EXPECT_EQ(parts("aEN", almost), (Parts{"a", "", "EN"}));  // nothing follows
}

TEST_F(TextStreamTest, AStopTokenIsNoText) {
  TextStream stream(tokenizer, {});
  EXPECT_EQ(parts("ab", stream, Finish::stop), (Parts{"a", ""}));
  EXPECT_EQ(stream.ids(), (std::vector<int32_t>{'a', 'b'}));
  EXPECT_THROW(TextStream(tokenizer, {""}), Error);
}

}  // namespace
}  // namespace narae
