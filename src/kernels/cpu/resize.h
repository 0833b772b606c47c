// SPDX-License-Identifier: Apache-2.0
// Separable resizing of the last two dims, f32, plain NCHW and channel blocks. Coordinate modes, nearest rounding and
// filters live in tables: an output position is a weighted sum of `taps` input positions (1 nearest, 2 linear, 4
// cubic). A task is one output row of one channel (or channel block).
#pragma once

#include <cstdint>
#include <string_view>

namespace narae::cpu {

struct ResizeAxis {
  int64_t in = 0, out = 0;
  int64_t taps = 1;
  const int64_t* places = nullptr;  // [out][taps], inside [0, in)
  const float* weights = nullptr;   // [out][taps]; null: 1 (taps must be 1)
};

struct ResizeArgs {
  const float* x = nullptr;
  float* y = nullptr;
  int64_t n = 1, c = 0;
  ResizeAxis rows, columns;
  // Floats between images and between channel blocks (plain: channels); 0 means dense.
  int64_t in_batch = 0, in_block = 0, out_batch = 0, out_block = 0;
};

struct ResizeKernels {
  int64_t block = 0;
  void (*blocked)(const ResizeArgs&, int64_t begin, int64_t end) = nullptr;
  void (*plain)(const ResizeArgs&, float* scratch, int64_t begin,
                int64_t end) = nullptr;  // columns.in + 16 floats per thread
};

inline int64_t resize_tasks_blocked(const ResizeArgs& a, int64_t block) {
  return a.n * ((a.c + block - 1) / block) * a.rows.out;
}
inline int64_t resize_tasks_plain(const ResizeArgs& a) { return a.n * a.c * a.rows.out; }

// For an ISA name of known_isas(); null for an unknown one.
const ResizeKernels* resize_kernels(std::string_view isa);

extern const ResizeKernels resize_kernels_portable, resize_kernels_avx2, resize_kernels_avx512;

}  // namespace narae::cpu
