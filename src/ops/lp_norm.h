// SPDX-License-Identifier: Apache-2.0
// lp_norm: x divided by its p-norm along one axis; rows of zeros stay zeros.
// https://onnx.ai/onnx/operators/onnx__LpNormalization.html
#pragma once

#include "graph/attributes.h"

namespace narae {

struct LpNormAttributes {
  int64_t axis = 0;  // 0 <= axis < rank
  int64_t p = 2;     // 1 or 2
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("p", p);
  }
};

}  // namespace narae
