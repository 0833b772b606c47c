// SPDX-License-Identifier: Apache-2.0
// One model of tokenizing: what stands between added tokens, to ids. Made from tables that Tokenizer has checked for
// equal lengths and ids in range; they need not outlive it, `index` must.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "text/merges.h"
#include "text/string_table.h"
#include "text/tokenizer_tables.h"

namespace narae {

// Lives through one encode().
struct EncodeScratch {
  MergeScratch merge;
  std::vector<int32_t> symbols;
  std::string text, other;
};

class SegmentEncoder {
 public:
  virtual ~SegmentEncoder() = default;
  // `text` is valid UTF-8 and not empty; `first`: nothing stood before it.
  virtual void encode(std::string_view text, bool first, EncodeScratch& scratch, std::vector<int32_t>& ids) const = 0;
};

std::unique_ptr<const SegmentEncoder> make_byte_bpe(const TokenizerTables& tables, const StringIndex& index);
std::unique_ptr<const SegmentEncoder> make_char_bpe(const TokenizerTables& tables, const StringIndex& index);
std::unique_ptr<const SegmentEncoder> make_wordpiece(const TokenizerTables& tables, const StringIndex& index);

// The merges of the tables, in their order; Error bad_file names a pair that makes no token.
std::vector<Merge> listed_merges(const TokenizerTables& tables, const StringIndex& index);

}  // namespace narae
