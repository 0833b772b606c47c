// SPDX-License-Identifier: Apache-2.0
// Reductions, softmax and norms over x[outer][n][inner], all f32 and contiguous. Along the last axis (inner == 1) a
// task is one row; otherwise it is one outer index times one block of reduce_block(kernels) inner positions, and
// vectors run across the inner positions. Tasks are independent.
#pragma once

#include <cstdint>
#include <string_view>

namespace narae::cpu {

enum class Reduction : uint8_t { sum, mean, max, min, prod, sum_square, l1, l2, log_sum, log_sum_exp };

struct ReduceArgs {
  const float* x = nullptr;
  float* y = nullptr;  // reductions: [outer][inner]; softmax: as x, may be x
  int64_t outer = 1, n = 1, inner = 1;
};

// Rows of n values. y may be x.
struct NormArgs {
  const float* x = nullptr;
  float* y = nullptr;
  int64_t n = 0;
  const float* scale = nullptr;  // [n] or null
  const float* bias = nullptr;   // [n] or null
  float epsilon = 1e-5f;
};

struct ReduceKernels {
  int64_t block = 0;  // inner positions per task
  void (*reduce)(const ReduceArgs&, Reduction, int64_t begin, int64_t end) = nullptr;
  void (*softmax)(const ReduceArgs&, bool log, int64_t begin, int64_t end) = nullptr;
  void (*layer_norm)(const NormArgs&, int64_t row_begin, int64_t row_end) = nullptr;
  void (*rms_norm)(const NormArgs&, int64_t row_begin, int64_t row_end) = nullptr;
};

inline int64_t reduce_tasks(const ReduceKernels& kernels, const ReduceArgs& args) {
  return args.inner == 1 ? args.outer : args.outer * ((args.inner + kernels.block - 1) / kernels.block);
}

// For an ISA name of known_isas(); null for an unknown one.
const ReduceKernels* reduce_kernels(std::string_view isa);

extern const ReduceKernels reduce_kernels_portable, reduce_kernels_avx2, reduce_kernels_avx512;

}  // namespace narae::cpu
