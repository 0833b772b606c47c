// SPDX-License-Identifier: Apache-2.0
// dims: a small integer tensor whose elements are Dims, made when shapes are bound. What remains of Shape -> Gather ->
// Concat chains where their result is an output of the model or is read as data.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct DimsAttributes {
  std::vector<Dim> values;
  bool scalar = false;  // rank 0 instead of 1
  DType dtype = DType::i64;
  template <class V>
  void fields(V& v) {
    v("values", values);
    v("scalar", scalar);
    v("dtype", dtype);
  }
};

}  // namespace narae
