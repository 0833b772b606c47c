// SPDX-License-Identifier: Apache-2.0
// roi_align: each region of rois [R, 4] (x1, y1, x2, y2) of image batch_indices[r] (i64 [R]) of x [N, C, H, W], cut
// into height x width bins, a bin into sampling x sampling points read bilinearly, then averaged. With mode max a bin
// is the maximum over points and corners of weight * element, as ONNX defines it. Result [R, C, height, width] of x's
// type. https://arxiv.org/abs/1703.06870, https://onnx.ai/onnx/operators/onnx__RoiAlign.html
#pragma once

#include "graph/attributes.h"

namespace narae {

struct RoiAlignAttributes {
  int64_t height = 1, width = 1;
  int64_t sampling = 0;    // points per bin and axis; 0: as many as elements, rounded up
  double scale = 1.0;      // from region coordinates to elements of x
  bool half_pixel = true;  // regions shift by half an element; without, they are at least 1 x 1
  bool max = false;
  template <class V>
  void fields(V& v) {
    v("height", height);
    v("width", width);
    v("sampling", sampling);
    v("scale", scale);
    v("half_pixel", half_pixel);
    v("max", max);
  }
};

}  // namespace narae
