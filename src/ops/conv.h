// SPDX-License-Identifier: Apache-2.0
// conv and conv_transpose over 1 to 3 spatial axes, operands x [N, C, spatial...], w and an optional bias [O].
//   conv:           w [O, C / groups, kernel...], a cross-correlation
//   conv_transpose: w [C, O / groups, kernel...], its gradient by x
// f32, f16, bf16, f64 accumulate in double here; u8 and i8 operands (each of either) give i32, bias i32.
// https://onnx.ai/onnx/operators/onnx__Conv.html, onnx__ConvTranspose.html
#pragma once

#include "graph/attributes.h"

namespace narae {

struct ConvAttributes {
  std::vector<int64_t> strides, dilations;  // one per spatial axis
  std::vector<int64_t> pads;                // all leading ones, then all trailing ones
  int64_t groups = 1;
  template <class V>
  void fields(V& v) {
    v("strides", strides);
    v("dilations", dilations);
    v("pads", pads);
    v("groups", groups);
  }
};

struct ConvTransposeAttributes {
  std::vector<int64_t> strides, dilations, pads;  // as conv's; pads shorten the result
  std::vector<int64_t> output_padding;            // per spatial axis, lengthens the result at its end
  int64_t groups = 1;
  template <class V>
  void fields(V& v) {
    v("strides", strides);
    v("dilations", dilations);
    v("pads", pads);
    v("output_padding", output_padding);
    v("groups", groups);
  }
};

}  // namespace narae
