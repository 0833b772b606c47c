// SPDX-License-Identifier: Apache-2.0
// What a tokenizer is made of, as plain data: readers in import/ fill it from files, Tokenizer checks it and builds its
// indices from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "text/pre_split.h"
#include "text/string_table.h"

namespace narae {

enum class TokenizerModel : uint8_t {
  byte_bpe,   // tokens are written in GPT-2's alphabet of printable stand-ins for bytes
  char_bpe,   // SentencePiece: U+2581 for a blank, <0xNN> for bytes of characters that are no token
  wordpiece,  // BERT: greedy longest match inside words
  none,       // ids only: texts cannot be encoded, each token says how it is spelled
};

enum class TokenKind : uint8_t {
  normal,
  unknown,
  control,  // special: stands for no text; found in a text only on request
  user,     // found in every text before anything else happens to it
  unused,
  byte,  // char_bpe only
};

// How a token of kind control or user is found in a text (Hugging Face's AddedToken).
struct AddedToken {
  int32_t id = -1;
  bool left_strip = false;   // takes the white space before it along
  bool right_strip = false;  // and after it
  bool single_word = false;  // not beside letters, digits or underscores
};

enum class SpacePrefix : uint8_t {
  none,
  first,   // before the text, when no token of kind control or user begins it
  always,  // before each stretch of text between such tokens
};

struct TokenMerge {
  int32_t left, right;
};

struct TokenizerTables {
  TokenizerModel model = TokenizerModel::byte_bpe;
  StringTable tokens;             // by id, as the file spells them
  std::vector<TokenKind> kinds;   // by id
  std::vector<AddedToken> added;  // every token of kind user, and of kind control that may be asked for

  // byte_bpe and char_bpe: best first. char_bpe without merges goes by scores instead, one a token, highest first.
  std::vector<TokenMerge> merges;
  std::vector<float> scores;
  bool whole_words_first = false;  // a word that is a token needs no merging ("ignore_merges")

  // byte_bpe
  PreSplit split = PreSplit::gpt2;
  bool digits_alone = false;  // each \p{N} is cut off before `split`
  bool compose = false;       // NFC first

  // char_bpe, and `always` for byte_bpe
  SpacePrefix space_prefix = SpacePrefix::none;
  bool space_prefix_once = false;  // not where a blank stands already
  bool byte_fallback = true;
  bool fuse_unknown = true;  // neighbouring unknown characters are one unknown token

  // wordpiece. A token that goes on inside a word begins with `continuation`, or one that begins a word with
  // `word_start`: exactly one of them is not empty.
  std::string continuation = "##";
  std::string word_start;
  bool lower_case = true;
  bool strip_accents = true;
  bool split_cjk = true;
  bool clean_text = true;
  int32_t longest_word = 100;  // characters; a longer word is unknown

  // -1: there is none
  int32_t begin = -1;  // BOS, [CLS]
  int32_t end = -1;    // put behind a text: EOS, [SEP]
  int32_t unknown = -1;
  int32_t padding = -1;
  bool add_begin = false;  // whether the model was trained with them
  bool add_end = false;
  std::vector<int32_t> stops;  // ids that end an answer

  std::string chat_template;  // a Jinja template, or empty
};

}  // namespace narae
