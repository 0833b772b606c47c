// SPDX-License-Identifier: Apache-2.0
// The tokenizer of a GGUF file: its keys tokenizer.ggml.*, to tables.
#pragma once

#include "import/weights/gguf.h"
#include "text/tokenizer_tables.h"

namespace narae {

// Throws Error bad_file that names the key; models and pre-tokenizers that Narae does not know are refused by name.
TokenizerTables gguf_tokenizer(const Gguf& file);

}  // namespace narae
