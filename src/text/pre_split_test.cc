// SPDX-License-Identifier: Apache-2.0
// Words as the regular expressions cut them.
#include "text/pre_split.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace narae {
namespace {

using Words = std::vector<std::string>;

Words words(PreSplit split, std::string_view text) {
  Words found;
  for (size_t at = 0; at < text.size();) {
    const size_t end = next_word(split)(text, at);
    EXPECT_GT(end, at);
    found.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return found;
}

TEST(PreSplit, Gpt2) {
  EXPECT_EQ(words(PreSplit::gpt2, "I'll we'LL 's'rx"), (Words{"I", "'ll", " we", "'", "LL", " '", "s", "'", "rx"}));
  EXPECT_EQ(words(PreSplit::gpt2, "a  b \n c\u3000d  "), (Words{"a", " ", " b", " \n", " c", "\u3000", "d", "  "}));
  EXPECT_EQ(words(PreSplit::gpt2, "x12\u00bd3 4!?\u00e9"), (Words{"x", "12\u00bd3", " 4", "!?", "\u00e9"}));
  EXPECT_EQ(words(PreSplit::gpt2, "\t\tx"), (Words{"\t", "\t", "x"}));
}

TEST(PreSplit, Llama3) {
  EXPECT_EQ(words(PreSplit::llama3, "HE'LL 'x \u2019re'\u017f"),
            (Words{"HE", "'LL", " '", "x", " \u2019", "re", "'\u017f"}));
  EXPECT_EQ(words(PreSplit::llama3, "12345 6"), (Words{"123", "45", " ", "6"}));
  EXPECT_EQ(words(PreSplit::llama3, "a;\n\n b \r\n  \n  c"), (Words{"a", ";\n\n", " b", " \r\n  \n", " ", " c"}));
  EXPECT_EQ(words(PreSplit::llama3, "\tx  !a\n"), (Words{"\tx", " ", " !", "a", "\n"}));
}

TEST(PreSplit, Qwen2) { EXPECT_EQ(words(PreSplit::qwen2, "ab12 3"), (Words{"ab", "1", "2", " ", "3"})); }

TEST(PreSplit, DigitsAlone) {
  const std::string text = "ab12 \u0663c";
  Words found;
  for (size_t at = 0; at < text.size(); at = next_digit_cut(text, at)) {
    found.push_back(text.substr(at, next_digit_cut(text, at) - at));
  }
  EXPECT_EQ(found, (Words{"ab", "1", "2", " ", "\u0663", "c"}));
}

}  // namespace
}  // namespace narae
