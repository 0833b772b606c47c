// SPDX-License-Identifier: Apache-2.0
#include "ops/window.h"

#include "base/error.h"

namespace narae {

namespace {
constexpr int64_t step_limit = 1 << 30, kernel_limit = int64_t{1} << 31;  // so that their products fit
}

void check_window(size_t spatial, const std::vector<int64_t>& strides, const std::vector<int64_t>& dilations,
                  const std::vector<int64_t>& pads) {
  if (spatial < 1 || spatial > 3) fail(ErrorCode::bad_file, "{} spatial axes; 1, 2 or 3 are supported", spatial);
  if (strides.size() != spatial || dilations.size() != spatial || pads.size() != 2 * spatial) {
    fail(ErrorCode::bad_file, "{} strides, {} dilations and {} pads for {} spatial axes", strides.size(),
         dilations.size(), pads.size(), spatial);
  }
  for (size_t i = 0; i < spatial; ++i) {
    if (strides[i] < 1 || dilations[i] < 1 || strides[i] > step_limit || dilations[i] > step_limit) {
      fail(ErrorCode::bad_file, "stride {} and dilation {} must be from 1 to {}", strides[i], dilations[i], step_limit);
    }
  }
  for (const int64_t pad : pads) {
    if (pad < 0) fail(ErrorCode::bad_file, "negative padding {}; use slice and pad", pad);
    if (pad > step_limit) fail(ErrorCode::bad_file, "padding {} must be at most {}", pad, step_limit);
  }
}

Dim window_count(const Dim& in, int64_t kernel, int64_t stride, int64_t dilation, int64_t begin, int64_t end,
                 bool ceil_mode) {
  if (kernel < 1 || kernel > kernel_limit)
    fail(ErrorCode::bad_file, "kernel size {} must be from 1 to {}", kernel, kernel_limit);
  const Dim room = in + Dim(begin + end - ((kernel - 1) * dilation + 1));
  if (!ceil_mode) return floordiv(room, stride) + Dim(1);
  return min(ceildiv(room, stride) + Dim(1), ceildiv(in + Dim(begin), stride));
}

Window::Window(const Dims& in_dims, const Dims& out_dims, const Dims& kernel_dims, const std::vector<int64_t>& strides,
               const std::vector<int64_t>& dilations, const std::vector<int64_t>& pads) {
  const size_t spatial = kernel_dims.size();
  for (size_t i = 0; i < spatial; ++i) {
    const size_t to = i + 3 - spatial;
    in[to] = in_dims[i + 2];
    out[to] = out_dims[i + 2];
    kernel[to] = kernel_dims[i];
    stride[to] = strides[i];
    dilation[to] = dilations[i];
    begin[to] = pads[i];
    end[to] = pads[i + spatial];
  }
}

}  // namespace narae
