// SPDX-License-Identifier: Apache-2.0
// Finds added tokens in a text before it is tokenized: from left to right, the longest at each place.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/token_trie.h"
#include "text/tokenizer_tables.h"

namespace narae {

class AddedTokens {
 public:
  explicit AddedTokens(const TokenizerTables& tables);

  struct Found {
    int32_t id = -1;    // -1: none, begin == end == text.size()
    size_t begin, end;  // with the white space that the token takes along
  };
  // The first one from `at` on. Controls count only with `specials`.
  Found find(std::string_view text, size_t at, bool specials) const;

 private:
  struct Rule {
    AddedToken token;
    bool control;
  };
  TokenTrie trie_;  // to rules_
  std::vector<Rule> rules_;
  bool begins_[256] = {};  // bytes that one begins with
};

}  // namespace narae
