// SPDX-License-Identifier: Apache-2.0
// fill: a value of `shape` with one number everywhere (ONNX ConstantOfShape). range: start, start + delta, .. before
// limit: of integer types by Dims, of float types by the doubles (element i is start + i * delta, rounded once).
#pragma once

#include "graph/attributes.h"

namespace narae {

struct FillAttributes {
  std::vector<Dim> shape;
  double value = 0.0;  // saturated to integer types: 9.3e18 is the largest i64
  DType dtype = DType::f32;
  template <class V>
  void fields(V& v) {
    v("shape", shape);
    v("value", value);
    v("dtype", dtype);
  }
};

struct RangeAttributes {
  Dim start = 0, limit = 0, delta = 1;  // integer types; the sign of delta must be known
  double float_start = 0.0, float_limit = 0.0, float_delta = 1.0;
  DType dtype = DType::i64;
  template <class V>
  void fields(V& v) {
    v("start", start);
    v("limit", limit);
    v("delta", delta);
    v("float_start", float_start);
    v("float_limit", float_limit);
    v("float_delta", float_delta);
    v("dtype", dtype);
  }
};

}  // namespace narae
