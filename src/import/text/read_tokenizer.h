// SPDX-License-Identifier: Apache-2.0
// A tokenizer from whatever holds one.
#pragma once

#include <memory>
#include <string>

#include "text/tokenizer.h"
#include "text/tokenizer_tables.h"

namespace narae {

// `path`: a GGUF file (with or without tensors), a tokenizer.json, or a Hugging Face folder: its tokenizer.json, and
// what tokenizer_config.json, chat_template.jinja, generation_config.json and config.json say of special tokens and
// templates. Throws Error bad_file that names the file and what is wrong with it.
TokenizerTables read_tokenizer(const std::string& path);

// The same, made into a tokenizer; what its tables cannot be is an Error bad_file that names `path`, too.
std::unique_ptr<const Tokenizer> load_tokenizer(const std::string& path);

}  // namespace narae
