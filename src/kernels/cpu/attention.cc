// SPDX-License-Identifier: Apache-2.0
// The part that needs no vectors: cutting a step into blocks, and which kernels serve which instruction set.
#include "kernels/cpu/attention.h"

#include <algorithm>

namespace narae::cpu {

int64_t attention_block_rows(const AttentionArgs& args) {
  return std::clamp<int64_t>(12 / (args.heads / args.kv_heads), 1, 8);
}

int64_t attention_blocks(const AttentionArgs& args, const int32_t* row_starts, const int32_t* lengths,
                         AttentionBlock* blocks) {
  const int64_t most = attention_block_rows(args);
  int64_t count = 0, done = 0;
  const auto add = [&](int64_t sequence, int64_t from, int64_t to, int64_t last) {
    for (int64_t row = from; row < to; row += most) {
      blocks[count++] = {static_cast<int32_t>(sequence), static_cast<int32_t>(row),
                         static_cast<int32_t>(std::min(most, to - row)), static_cast<int32_t>(last + row - from)};
    }
  };
  for (int64_t s = 0; s < args.sequences; ++s) {
    const int64_t from = row_starts[s], to = row_starts[s + 1], length = lengths[s];
    if (from < done || to < from || to > args.rows || length < to - from || length > args.pages * args.page_size) {
      return -1 - s;
    }
    for (int64_t page = 0; from < to && page * args.page_size < length; ++page) {
      const int64_t at = args.tables[s * args.pages + page];
      if (at < 0 || (at + 1) * args.page_size > args.places) return -1 - s;
    }
    add(-1, done, from, 0);
    add(s, from, to, length - (to - from));
    done = to;
  }
  add(-1, done, args.rows, 0);
  return count;
}

const AttentionKernels* attention_kernels(std::string_view isa) {
  if (isa == "avx512" || isa == "avx512_vnni") return &attention_kernels_avx512;
  if (isa == "avx2") return &attention_kernels_avx2;
  return isa == "portable" ? &attention_kernels_portable : nullptr;
}

}  // namespace narae::cpu
