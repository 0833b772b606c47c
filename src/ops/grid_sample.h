// SPDX-License-Identifier: Apache-2.0
// grid_sample: x [N, C, spatial...] read at the places of grid [N, out..., D], D = number of spatial axes, last axis of
// x first; -1 and 1 are the outer edges of x, or with align_corners the middles of its outer elements. Result [N, C,
// out...] of x's type. https://onnx.ai/onnx/operators/onnx__GridSample.html, https://arxiv.org/abs/1506.02025
#pragma once

#include "graph/attributes.h"

namespace narae {

struct GridSampleAttributes {
  std::string mode = "linear";    // nearest (halves to even), linear, cubic (a = -0.75)
  std::string padding = "zeros";  // zeros, border, reflection
  bool align_corners = false;
  template <class V>
  void fields(V& v) {
    v("mode", mode);
    v("padding", padding);
    v("align_corners", align_corners);
  }
};

}  // namespace narae
