// SPDX-License-Identifier: Apache-2.0
// layer_norm, rms_norm: every row (the axes from `axis` on) by itself.
//   layer_norm: y = (x - mean) / sqrt(variance + epsilon) * scale + bias; operands x, scale, optional bias; optional
//               second and third result: mean and 1 / sqrt(variance + epsilon) [leading axes.., 1..], f64 for f64, else
//               f32
//   rms_norm:   y = x / sqrt(mean(x^2) + epsilon) * scale; operands x, scale
// scale and bias broadcast to x and have its type. Statistics are not rounded to a narrow type on the way.
// https://arxiv.org/abs/1607.06450, https://arxiv.org/abs/1910.07467
#pragma once

#include "graph/attributes.h"

namespace narae {

struct LayerNormAttributes {
  int64_t axis = 0;  // 0 <= axis < rank
  double epsilon = 1e-5;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("epsilon", epsilon);
  }
};

}  // namespace narae
