// SPDX-License-Identifier: Apache-2.0
// resize: samples x at other places, axis by axis. Result axis i has sizes[i] elements; element y stands at the place
// that coordinate_mode gives, where scale = scales[i], or sizes[i] / the operand's size when `scales` is empty:
//   half_pixel            (y + 0.5) / scale - 0.5
//   pytorch_half_pixel    the same, but 0 when sizes[i] is 1
//   half_pixel_symmetric  half_pixel around the middle when scale * size is not whole
//   align_corners         y * (size - 1) / (scale * size - 1)
//   asymmetric            y / scale
//   tf_crop_and_resize    from roi[i] to roi[rank + i] of (size - 1); outside of x: extrapolation_value
//   tf_half_pixel_for_nn  (y + 0.5) / scale
// Places outside read the edge. antialias widens linear and cubic filters when scale < 1.
// https://onnx.ai/onnx/operators/onnx__Resize.html; cubic: Keys, https://doi.org/10.1109/TASSP.1981.1163711
#pragma once

#include "graph/attributes.h"

namespace narae {

struct ResizeAttributes {
  std::vector<Dim> sizes;        // of the result, every axis
  std::vector<double> scales;    // every axis, or empty
  std::vector<double> roi;       // every axis' start, then every axis' end; empty: 0 and 1
  std::string mode = "nearest";  // nearest, linear, cubic; the last two need floats
  std::string coordinate_mode = "half_pixel";
  std::string nearest_mode = "round_prefer_floor";  // round_prefer_floor, round_prefer_ceil, floor, ceil
  double cubic_a = -0.75;
  bool exclude_outside = false;  // taps outside of x weigh nothing, the others are scaled to sum to 1
  bool antialias = false;
  double extrapolation_value = 0.0;
  template <class V>
  void fields(V& v) {
    v("sizes", sizes);
    v("scales", scales);
    v("roi", roi);
    v("mode", mode);
    v("coordinate_mode", coordinate_mode);
    v("nearest_mode", nearest_mode);
    v("cubic_a", cubic_a);
    v("exclude_outside", exclude_outside);
    v("antialias", antialias);
    v("extrapolation_value", extrapolation_value);
  }
};

// How one axis is sampled: result element y = sum over t < taps of weights[y * taps + t] * x[places[y * taps + t]], or
// extrapolation_value where outside[y]. Kernels read their tables from here.
struct AxisSamples {
  int64_t taps = 1;
  std::vector<int64_t> places;  // within the operand
  std::vector<double> weights;
  std::vector<uint8_t> outside;  // one per result element
  bool is_identity(int64_t in) const;
};
AxisSamples axis_samples(const ResizeAttributes& a, size_t axis, int64_t in, int64_t out);

}  // namespace narae
