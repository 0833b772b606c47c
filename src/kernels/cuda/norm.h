// SPDX-License-Identifier: Apache-2.0
// Layer norm and RMS norm of rows, with the residual stream's addition in the same pass.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cuda {

// s = x + residual (where there is one); y = norm(s) * scale + bias. Statistics and sums in f32.
// layer: (s - mean) / sqrt(variance + epsilon); rms: s / sqrt(mean(s^2) + epsilon).
// s is normalised as `sum` stores it where sum is given, so that a graph with a separate addition gives the same.
struct NormArgs {
  const void* x = nullptr;         // [rows][n], of `type`
  const void* residual = nullptr;  // [rows][n] of residual_type, or null
  void* sum = nullptr;             // [rows][n] of sum_type, or null; may be x or residual where the types are equal
  void* y = nullptr;               // [rows][n] of y_type; may be x
  const void* scale = nullptr;     // [n] of factor_type, or null
  const void* bias = nullptr;      // [n] of factor_type, or null
  DType type = DType::f32, residual_type = DType::f32, sum_type = DType::f32, y_type = DType::f32,
        factor_type = DType::f32;
  int64_t rows = 0, n = 0;
  float epsilon = 1e-5f;
  bool rms = false;
};
cudaError_t norm(const NormArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
