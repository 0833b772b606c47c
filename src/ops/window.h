// SPDX-License-Identifier: Apache-2.0
// Windows that slide over 1 to 3 spatial axes: the size rule of convolutions and pools, and their geometry as plain
// numbers. Sizes follow ONNX: with ceil_mode the last window must start inside the input or its leading padding.
#pragma once

#include <array>

#include "graph/op_def.h"

namespace narae {

// Throws bad_file unless spatial is 1 to 3, the lists are of lengths spatial, spatial and 2 x spatial (all leading
// pads, then all trailing ones), strides and dilations are positive and pads are not negative.
void check_window(size_t spatial, const std::vector<int64_t>& strides, const std::vector<int64_t>& dilations,
                  const std::vector<int64_t>& pads);

// Number of windows along one axis.
Dim window_count(const Dim& in, int64_t kernel, int64_t stride, int64_t dilation, int64_t begin, int64_t end,
                 bool ceil_mode);

// Always three axes: leading ones where there are fewer.
struct Window {
  std::array<int64_t, 3> in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1};
  std::array<int64_t, 3> begin{0, 0, 0}, end{0, 0, 0};
  // `in` and `out` are whole shapes [N, C, spatial...]; `kernel` has the spatial axes only.
  Window(const Dims& in, const Dims& out, const Dims& kernel, const std::vector<int64_t>& strides,
         const std::vector<int64_t>& dilations, const std::vector<int64_t>& pads);
  int64_t in_count() const { return in[0] * in[1] * in[2]; }
  int64_t out_count() const { return out[0] * out[1] * out[2]; }
  int64_t kernel_count() const { return kernel[0] * kernel[1] * kernel[2]; }
};

// Calls body(out, in, kernel) with row-major places in the three boxes for every tap that lies inside the input; kernel
// places ascend in the outer loop.
template <typename Body>
void for_each_tap(const Window& w, Body body) {
  int64_t tap = 0;
  for (int64_t kd = 0; kd < w.kernel[0]; ++kd) {
    for (int64_t kh = 0; kh < w.kernel[1]; ++kh) {
      for (int64_t kw = 0; kw < w.kernel[2]; ++kw, ++tap) {
        for (int64_t od = 0; od < w.out[0]; ++od) {
          const int64_t d = od * w.stride[0] + kd * w.dilation[0] - w.begin[0];
          if (d < 0 || d >= w.in[0]) continue;
          for (int64_t oh = 0; oh < w.out[1]; ++oh) {
            const int64_t h = oh * w.stride[1] + kh * w.dilation[1] - w.begin[1];
            if (h < 0 || h >= w.in[1]) continue;
            const int64_t in_row = (d * w.in[1] + h) * w.in[2], out_row = (od * w.out[1] + oh) * w.out[2];
            for (int64_t ow = 0; ow < w.out[2]; ++ow) {
              const int64_t x = ow * w.stride[2] + kw * w.dilation[2] - w.begin[2];
              if (x >= 0 && x < w.in[2]) body(out_row + ow, in_row + x, tap);
            }
          }
        }
      }
    }
  }
}

}  // namespace narae
