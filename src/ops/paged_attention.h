// SPDX-License-Identifier: Apache-2.0
// paged_attention: causal attention of the step's rows over keys and values that lie in pages.
//   q [T, Hq, D]; k, v [places, Hkv, D] (each f32, f16 or bf16; Hq a multiple of Hkv), the step's own rows written
//   already; row_starts i32 [S + 1]: rows [row_starts[s], row_starts[s + 1]) belong to sequence s and are its last
//   ones; lengths i32 [S]: tokens of the sequence up to and with its last row; page_tables i32 [S, P]: token t of
//   sequence s lies at place page_tables[s, t / page_size] * page_size + t % page_size. -> as q; zeros for rows
//   of no sequence.
// softmax(q k' * scale) v over the row's own token and those before it, of these the last `window` (0: all).
// A page, row or length outside is an Error does_not_fit.
// https://arxiv.org/abs/2309.06180 (pages), https://arxiv.org/abs/2305.13245 (grouped heads)
#pragma once

#include "graph/attributes.h"

namespace narae {

struct PagedAttentionAttributes {
  double scale = 1.0;
  int64_t page_size = 16;
  int64_t window = 0;
  template <class V>
  void fields(V& v) {
    v("scale", scale);
    v("page_size", page_size);
    v("window", window);
  }
};

}  // namespace narae
