// SPDX-License-Identifier: Apache-2.0
// Weights in blocks (tensor/formats.h) -> floats. f32 is bit for bit what the formats define; f16 and bf16 are that,
// rounded.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tensor/dtype.h"
#include "tensor/formats.h"

namespace narae::cuda {

struct DequantizeArgs {
  const void* in = nullptr;  // `blocks` blocks one after the other, at an even address
  void* out = nullptr;       // blocks * values of `type`
  BlockFormat format = BlockFormat::none;
  DType type = DType::f32;
  int64_t blocks = 0;
};
cudaError_t dequantize_blocks(const DequantizeArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
