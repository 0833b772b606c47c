// SPDX-License-Identifier: Apache-2.0
// cast: every element in another type. Floats become integers by truncation, saturated at the type's ends, NaN as 0;
// integers wrap into narrower ones (the low bits stay); anything not zero is true. Integer to float rounds once.
#pragma once

#include "graph/attributes.h"
#include "tensor/tensor.h"

namespace narae {

struct CastAttributes {
  DType dtype = DType::f32;
  template <class V>
  void fields(V& v) {
    v("dtype", dtype);
  }
};

// Whole value as an element of integer type `dtype`, clamped to its range. NaN: 0.
int64_t saturate_to_integer(double value, DType dtype);
// Stores a whole number in an integer or boolean tensor: low bits for integers, != 0 for boolean.
void set_integer(const Tensor& tensor, int64_t index, int64_t value);

}  // namespace narae
