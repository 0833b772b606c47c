// SPDX-License-Identifier: Apache-2.0
// quantize: y = saturate(round(x / scale) + zero point), rounding half to even; dequantize: y = (x - zero point) *
// scale. Operands: x, scale, zero point (optional, of the integer type). One scale for all (a scalar or one element),
// one per entry of `axis` (rank 1), or, with block_size > 0, one per block along `axis` (x's rank, that axis
// ceil-divided). All is computed in f32 as ONNX has it. dynamic_quantize_linear (f32 -> u8, scale, zero point): the
// range of x with 0 in it.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct QuantizeAttributes {
  int64_t axis = 1;  // negative counts from the end
  int64_t block_size = 0;
  DType dtype = DType::u8;  // u8, i8, u16, i16
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("block_size", block_size);
    v("dtype", dtype);
  }
};

struct DequantizeAttributes {  // u8, i8, u16, i16, i32 -> the type of the scale
  int64_t axis = 1;
  int64_t block_size = 0;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("block_size", block_size);
  }
};

}  // namespace narae
