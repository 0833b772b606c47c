// SPDX-License-Identifier: Apache-2.0
// Products of a few rows with a large matrix of weights: bound by reading the weights once.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/gate.h"
#include "tensor/dtype.h"
#include "tensor/formats.h"

namespace narae::cuda {

inline constexpr int64_t gemv_rows = 16;  // at most

// y[m][n] = x[m][k] w[n][k]' + bias[n] + residual[m][n]. Sums in f32; a row's result does not depend on m. f32 x is
// split into two parts of the weights' type, which keeps 16 (bf16) or 22 (f16) bits of it; with f16 weights |x| must
// stay below 65504. f32 weights are multiplied in f32.
struct GemvArgs {
  const void* x = nullptr;         // [m][k] of x_type
  const void* w = nullptr;         // [n][k] of w_type
  void* y = nullptr;               // [m][n] of y_type
  const void* bias = nullptr;      // [n] of bias_type, or null
  const void* residual = nullptr;  // [m][n] of residual_type, or null; may be y
  DType x_type = DType::bf16, w_type = DType::bf16, y_type = DType::bf16, bias_type = DType::f32,
        residual_type = DType::f32;
  int64_t m = 1, n = 0, k = 0;
  int64_t x_row = 0, y_row = 0;  // elements between rows of x, and of y and residual; 0: k, n
  bool fixed_weights = false;    // no kernel writes w: it may be read while the one before still runs
};
// m from 1 to gemv_rows. Quickest where k is a multiple of 8 and everything lies on 16 bytes.
cudaError_t gemv(const GemvArgs& args, cudaStream_t stream);

// Up to four matrices on the same x in one launch: y_i = x w_i' + bias_i, each y_i [m][n_i] without gaps. Of GemvArgs
// w, y, n, bias, residual and y_row are not read.
struct GemvPart {
  const void *w = nullptr, *bias = nullptr;
  void* y = nullptr;
  int64_t n = 0;
};
inline constexpr int gemv_parts_limit = 4;
struct GemvPartsArgs : GemvArgs {
  GemvPart parts[gemv_parts_limit];
  int count = 0;
};
cudaError_t gemv_parts(const GemvPartsArgs& args, cudaStream_t stream);

// A gated unit in one launch: y = gate(x w') * (x up'), w and up [n][k]; both sums are in f32 until then. No bias, no
// residual. cudaErrorNotSupported, with nothing done, where x and weights do not lie or pair as the quick way needs it.
struct GatedGemvArgs : GemvArgs {
  const void* up = nullptr;
  Gate gate = Gate::silu;
};
cudaError_t gated_gemv(const GatedGemvArgs& args, cudaStream_t stream);

// The same as gemv with weights in blocks: w is [n][k / values] blocks, w_type is not read. k is a multiple of the
// block's values. Whole numbers are exact in the product; x that is not bf16 keeps 16 bits.
struct BlockGemvArgs : GemvArgs {
  BlockFormat format = BlockFormat::none;
};
cudaError_t block_gemv(const BlockGemvArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
