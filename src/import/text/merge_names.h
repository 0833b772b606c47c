// SPDX-License-Identifier: Apache-2.0
// Merges as files write them, by the spelling of their tokens.
#pragma once

#include <string_view>

#include "text/string_table.h"
#include "text/tokenizer_tables.h"

namespace narae {

// Both throw Error bad_file that shows the merge when one of the two is no token.
TokenMerge named_merge(std::string_view left, std::string_view right, const StringIndex& index);
// "left right"
TokenMerge named_merge(std::string_view merge, const StringIndex& index);

}  // namespace narae
