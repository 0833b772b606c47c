// SPDX-License-Identifier: Apache-2.0
// rope: rotary position embedding. x [T, heads, D] (f32, f16 or bf16; the result is as x), positions i32 [T], inv_freq
// f32 [D' / 2] with D' <= D: the first D' elements of a head turn in pairs by position * inv_freq[pair], the others
// stay. `interleaved`: a pair is elements (2 i, 2 i + 1), else (i, i + D' / 2). Sine and cosine are multiplied by
// `scale`.
// https://arxiv.org/abs/2104.09864; `scale` is the attention factor of https://arxiv.org/abs/2309.00071 (YaRN)
#pragma once

#include "graph/attributes.h"

namespace narae {

struct RopeAttributes {
  bool interleaved = false;
  double scale = 1.0;
  template <class V>
  void fields(V& v) {
    v("interleaved", interleaved);
    v("scale", scale);
  }
};

}  // namespace narae
