// SPDX-License-Identifier: Apache-2.0
// Integer sums of a group where products of bytes are added in pairs of 16 bits. The one thing not to get wrong: such
// a pair must not saturate, so how many of them are added before they become 32 bits follows from the largest quant.
#pragma once

#include "kernels/cpu/block_form.h"

namespace narae::cpu {
namespace {

template <int Rows, BlockFormat Format>
struct GroupSums {
  static constexpr BlockForm form = block_form(Format);
  static constexpr bool narrow = form.bits == 4;  // 8 pairs of 2 * 15 * 127 fit
  static constexpr bool full_bytes = form.zero == 128;
  Vi sums[Rows];
  int32_t offsets[Rows];
  NARAE_INLINE void start(int row, int32_t offset) {
    sums[row] = splat_int(narrow || full_bytes ? 0 : offset);
    offsets[row] = offset;
  }
  NARAE_INLINE void add(int row, Vi w, int32_t a) {
    const Vi bytes = splat_int(a);
    if constexpr (narrow) {
      sums[row] = add_halves(sums[row], byte_pairs(w, bytes));
    } else if constexpr (full_bytes) {
      sums[row] = sums[row] + half_pairs(signed_pairs(w, bytes));
    } else {
      sums[row] = sums[row] + half_pairs(byte_pairs(w, bytes));
    }
    in_order(sums[row]);
  }
  NARAE_INLINE Vi sum(int row) const {
    if constexpr (!narrow) return sums[row];
    return half_pairs(sums[row]) + splat_int(offsets[row]);
  }
};

}  // namespace
}  // namespace narae::cpu
