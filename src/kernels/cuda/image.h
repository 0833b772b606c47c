// SPDX-License-Identifier: Apache-2.0
// Pooling, resizing and depthwise convolution of images, NCHW or NHWC. f32, f16 or bf16; arithmetic in f32. Channels
// that lie together and come in eights on 16 bytes move in packs.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cuda {

inline constexpr int64_t most_places = int64_t{1} << 31;  // elements of a result

enum class PoolKind : uint8_t { max, average };

// Semantics are ONNX's: what an average divides by is counted inside the padded image when count_include_pad, else
// inside the image; windows may hang over (ceil mode). Global pooling is a window of the whole image.
struct PoolArgs {
  const void* x = nullptr;  // [n][c][ih][iw] or [n][ih][iw][c]
  void* y = nullptr;
  DType type = DType::f32;
  PoolKind kind = PoolKind::max;
  bool channels_last = false, count_include_pad = false;
  int64_t n = 1, c = 0, ih = 0, iw = 0, oh = 0, ow = 0;
  int64_t kh = 1, kw = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
};
cudaError_t pool(const PoolArgs& args, cudaStream_t stream);

// An output position is a weighted sum of `taps` input positions (1 nearest, 2 linear, 4 cubic). Tables lie on the
// device.
struct ResizeAxis {
  int64_t in = 0, out = 0, taps = 1;
  const int32_t* places = nullptr;  // [out][taps], inside [0, in)
  const float* weights = nullptr;   // [out][taps]; null: 1 (taps must be 1)
};
struct ResizeArgs {
  const void* x = nullptr;
  void* y = nullptr;
  DType type = DType::f32;
  bool channels_last = false;
  int64_t n = 1, c = 0;
  ResizeAxis rows, columns;
};
cudaError_t resize(const ResizeArgs& args, cudaStream_t stream);

enum class Act : uint8_t { none, clip, silu, hard_swish, sigmoid, gelu };

// NHWC: y = act(sum over taps x w + bias) + residual, one filter a channel. clip: into [lo, hi].
struct DwconvArgs {
  const void* x = nullptr;         // [n][ih][iw][c] of `type`
  const void* w = nullptr;         // [kh][kw][c] of `type`
  const void* bias = nullptr;      // [c] of bias_type, or null
  const void* residual = nullptr;  // as y, or null
  void* y = nullptr;               // [n][oh][ow][c] of `type`
  DType type = DType::f16, bias_type = DType::f32;
  Act act = Act::none;
  float lo = 0, hi = 0;
  int64_t n = 1, c = 0, ih = 0, iw = 0, oh = 0, ow = 0;
  int64_t kh = 1, kw = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, pad_top = 0, pad_left = 0;
};
cudaError_t dwconv(const DwconvArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
