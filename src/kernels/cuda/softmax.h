// SPDX-License-Identifier: Apache-2.0
// softmax and log_softmax along one axis.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cuda {

// x[outer][n][inner], dense, f32, f16 or bf16; arithmetic in f32. y has its own float type and may be x where the
// types are equal.
struct SoftmaxArgs {
  const void* x = nullptr;
  void* y = nullptr;
  DType type = DType::f32, y_type = DType::f32;
  int64_t outer = 1, n = 1, inner = 1;
  bool log = false;
};
cudaError_t softmax(const SoftmaxArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
