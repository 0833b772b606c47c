// SPDX-License-Identifier: Apache-2.0
// Max and average pooling in 2D, f32, on channel blocks (NCHWc) and on plain NCHW. A task is one output row of one
// channel block (plain: of one channel); for global pooling one block. Semantics are ONNX's: what an average divides by
// is counted inside the padded image when count_include_pad, else inside the image; windows may hang over (ceil mode).
#pragma once

#include <cstdint>
#include <string_view>

namespace narae::cpu {

enum class PoolKind : uint8_t { max, average };

struct PoolShape {
  int64_t n = 1, c = 0, ih = 0, iw = 0, oh = 0, ow = 0;
  int64_t kh = 1, kw = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  bool count_include_pad = false;
  // Floats between images and between channel blocks (plain: channels); 0 means dense.
  int64_t in_batch = 0, in_block = 0, out_batch = 0, out_block = 0;
};

struct PoolKernels {
  int64_t block = 0;
  void (*blocked)(const PoolShape&, PoolKind, const float* in, float* out, int64_t begin, int64_t end) = nullptr;
  // scratch: pool_scratch() floats per thread.
  void (*plain)(const PoolShape&, PoolKind, const float* in, float* out, float* scratch, int64_t begin,
                int64_t end) = nullptr;
  // [n][blocks][ih * iw][block] -> [n][blocks][block]; oh, ow and the window are not read. On plain NCHW this is a
  // reduction of rows (reduce.h).
  void (*global_blocked)(const PoolShape&, PoolKind, const float* in, float* out, int64_t begin, int64_t end) = nullptr;
};

inline int64_t pool_tasks_blocked(const PoolShape& s, int64_t block) {
  return s.n * ((s.c + block - 1) / block) * s.oh;
}
inline int64_t pool_tasks_plain(const PoolShape& s) { return s.n * s.c * s.oh; }
inline int64_t pool_tasks_global(const PoolShape& s, int64_t block) { return s.n * ((s.c + block - 1) / block); }
int64_t pool_scratch(const PoolShape& shape);

// For an ISA name of known_isas(); null for an unknown one.
const PoolKernels* pool_kernels(std::string_view isa);

extern const PoolKernels pool_kernels_portable, pool_kernels_avx2, pool_kernels_avx512;

}  // namespace narae::cpu
