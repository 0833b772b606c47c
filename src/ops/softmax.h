// SPDX-License-Identifier: Apache-2.0
// softmax, log_softmax, hardmax along one axis (ONNX opset 13 and later; the flattening of older ones is the
// importer's). The row's maximum is subtracted before exp. hardmax: 1 at the first maximum of the row, 0 elsewhere.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct SoftmaxAttributes {
  int64_t axis = 0;  // 0 <= axis < rank
  template <class V>
  void fields(V& v) {
    v("axis", axis);
  }
};

}  // namespace narae
