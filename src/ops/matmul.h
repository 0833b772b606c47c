// SPDX-License-Identifier: Apache-2.0
// matmul: numpy's batched matrix product of operands of rank >= 2, [.., M, K] x [.., K, N] -> [.., M, N]; leading axes
// broadcast. f32, f16, bf16, f64 accumulate in double here; integers (u8, i8, i32, ...) give i32 sums for 8-bit
// operands.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct MatmulAttributes {
  bool transpose_a = false;  // the last two axes of a are [K, M]
  bool transpose_b = false;  // the last two axes of b are [N, K]
  template <class V>
  void fields(V& v) {
    v("transpose_a", transpose_a);
    v("transpose_b", transpose_b);
  }
};

}  // namespace narae
