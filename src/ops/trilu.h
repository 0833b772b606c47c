// SPDX-License-Identifier: Apache-2.0
// trilu: of every matrix in the last two axes only the part on and above (upper) or on and below diagonal k stays, the
// rest is 0. eye_like: a matrix of the operand's shape with ones on diagonal k; its elements are not read.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct TriluAttributes {
  bool upper = true;
  int64_t k = 0;  // 0: the main diagonal; positive ones lie above it
  template <class V>
  void fields(V& v) {
    v("upper", upper);
    v("k", k);
  }
};

struct EyeLikeAttributes {
  DType dtype = DType::f32;
  int64_t k = 0;
  template <class V>
  void fields(V& v) {
    v("dtype", dtype);
    v("k", k);
  }
};

}  // namespace narae
