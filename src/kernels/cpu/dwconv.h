// SPDX-License-Identifier: Apache-2.0
// FP32 depthwise convolution on channel blocks (NCHWc, c = block): one filter per channel. A task is a band of
// output rows of one channel block, walked in strips whose input rows stay in the first cache. Any kernel, stride,
// padding and dilation; widths 3, 5 and 7 at strides 1 and 2 without dilation have tiles of their own. Tails of the
// last block are written as zeros.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/cpu/conv.h"

namespace narae::cpu {

struct DwconvKernels {
  int64_t block = 0;
  // Shape: groups == ic == oc, not transposed, blocked input; its strides may be 0 (dense). Weights are packed by
  // dwconv_pack_weights(); bias, residual, act and `after` as in conv_run();
  // `after` sees a strip of one row at a time.
  void (*run)(const ConvShape& shape, const float* in, const float* packed_weights, float* out,
              const ConvEpilogue& epilogue, int64_t task_begin, int64_t task_end) = nullptr;
};

// False: a plain or transposed convolution, or several outputs per input channel.
bool is_depthwise(const ConvShape& shape);
inline constexpr int64_t dwconv_band = 8;  // output rows per task
inline int64_t dwconv_tasks(const ConvShape& shape, int64_t block) {
  return shape.n * ceil_div(shape.oc, block) * ceil_div(shape.oh, dwconv_band);
}
inline int64_t dwconv_weights_size(const ConvShape& shape, int64_t block) {
  return round_up(shape.oc, block) * shape.kh * shape.kw;
}
// [oc, 1, kh, kw] -> [oc / block][kh][kw][block], channels filled up with zeros.
void dwconv_pack_weights(const ConvShape& shape, int64_t block, const float* weights, float* out);

// For an ISA name of known_isas(); null for an unknown one.
const DwconvKernels* dwconv_kernels(std::string_view isa);

extern const DwconvKernels dwconv_kernels_portable, dwconv_kernels_avx2, dwconv_kernels_avx512;

}  // namespace narae::cpu
