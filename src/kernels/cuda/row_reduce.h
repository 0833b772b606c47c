// SPDX-License-Identifier: Apache-2.0
// Reductions along one axis, and the places of the largest or smallest elements along it.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cuda {

enum class Reduction : uint8_t { sum, mean, max, min, prod, sum_square, l1, l2, log_sum, log_sum_exp };

// x[outer][n][inner] -> y[outer][inner], dense; f32, f16 or bf16, summed in f32. n == 0 gives what nothing reduces to.
struct ReduceArgs {
  const void* x = nullptr;
  void* y = nullptr;
  DType type = DType::f32, y_type = DType::f32;
  Reduction kind = Reduction::sum;
  int64_t outer = 1, n = 1, inner = 1;
};
cudaError_t row_reduce(const ReduceArgs& args, cudaStream_t stream);

// Along the axis of x[outer][size][inner], dense: places[outer][k][inner] and (where not null) values, sorted, of the k
// largest or smallest. NaN stands above every number; of equals the first comes first, or with `last` the last (as
// arg_max asks for it, k = 1). Type: f32, f16, bf16, i32, i64, i8 or u8. One pass over the line for each of the k:
// meant for small k.
struct TopkArgs {
  const void* x = nullptr;
  void* values = nullptr;
  int64_t* places = nullptr;
  DType type = DType::f32;
  int64_t outer = 1, size = 1, inner = 1, k = 1;
  bool largest = true, last = false;
};
cudaError_t topk(const TopkArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
