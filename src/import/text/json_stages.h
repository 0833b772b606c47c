// SPDX-License-Identifier: Apache-2.0
// The stages of a tokenizer.json around its model: normalizer, pre_tokenizer, post_processor, decoder. Each sets what
// it stands for in the tables, and together they must be a chain that one of Narae's models runs.
#pragma once

#include "import/weights/json_file.h"
#include "text/tokenizer_tables.h"

namespace narae {

// What the stages say of the text that the model sees.
struct JsonStages {
  bool byte_level = false;   // bytes in GPT-2's alphabet
  bool blank_marks = false;  // U+2581 for blanks
  bool bert_words = false;   // cut as BERT does
};

// Fill `tables`; throw Error bad_file with the name of what is not known.
JsonStages read_json_stages(const Json& file, TokenizerTables& tables);

}  // namespace narae
