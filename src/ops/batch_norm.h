// SPDX-License-Identifier: Apache-2.0
// batch_norm (inference): y = (x - mean) / sqrt(variance + epsilon) * scale + bias with one number of each per channel.
// Operands x [N, C, ...] (or [N]: one channel), scale, bias, mean, variance [C], of any float types; result of x's
// type. https://arxiv.org/abs/1502.03167, https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
#pragma once

#include "graph/attributes.h"

namespace narae {

struct BatchNormAttributes {
  double epsilon = 1e-5;
  template <class V>
  void fields(V& v) {
    v("epsilon", epsilon);
  }
};

}  // namespace narae
