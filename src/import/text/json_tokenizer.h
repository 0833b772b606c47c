// SPDX-License-Identifier: Apache-2.0
// A tokenizer.json of Hugging Face's tokenizers library, to tables.
#pragma once

#include <string_view>

#include "text/tokenizer_tables.h"

namespace narae {

// `text` is the file. Throws Error bad_file that names the part of the file; models, normalizers, pre-tokenizers,
// post-processors and decoders that Narae does not know are refused by name. Padding and truncation are not read.
TokenizerTables json_tokenizer(std::string_view text);

}  // namespace narae
