// SPDX-License-Identifier: Apache-2.0
// Pools over the 1 to 3 spatial axes of x [N, C, spatial...]. Padding never wins a maximum and never adds to a sum.
//   max_pool: optional second result, i64: row-major place of the maximum in the whole of x (the first of equals)
//   avg_pool: mean; the divisor counts the taps inside the input, or with count_include_pad inside input and pads
//   lp_pool:  (sum |x|^p)^(1/p)
// https://onnx.ai/onnx/operators/onnx__MaxPool.html, onnx__AveragePool.html, onnx__LpPool.html
#pragma once

#include "graph/attributes.h"

namespace narae {

struct MaxPoolAttributes {
  std::vector<int64_t> kernel, strides, dilations;  // one per spatial axis
  std::vector<int64_t> pads;                        // all leading ones, then all trailing ones
  bool ceil_mode = false;
  bool column_major = false;  // second result: spatial places count the first spatial axis fastest
  template <class V>
  void fields(V& v) {
    v("kernel", kernel);
    v("strides", strides);
    v("dilations", dilations);
    v("pads", pads);
    v("ceil_mode", ceil_mode);
    v("column_major", column_major);
  }
};

struct AvgPoolAttributes {
  std::vector<int64_t> kernel, strides, dilations, pads;
  bool ceil_mode = false;
  bool count_include_pad = false;
  template <class V>
  void fields(V& v) {
    v("kernel", kernel);
    v("strides", strides);
    v("dilations", dilations);
    v("pads", pads);
    v("ceil_mode", ceil_mode);
    v("count_include_pad", count_include_pad);
  }
};

struct LpPoolAttributes {
  std::vector<int64_t> kernel, strides, dilations, pads;
  bool ceil_mode = false;
  int64_t p = 2;
  template <class V>
  void fields(V& v) {
    v("kernel", kernel);
    v("strides", strides);
    v("dilations", dilations);
    v("pads", pads);
    v("ceil_mode", ceil_mode);
    v("p", p);
  }
};

}  // namespace narae
