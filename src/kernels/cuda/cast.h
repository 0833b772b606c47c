// SPDX-License-Identifier: Apache-2.0
// Elements from one type to another, as the host does it (kernels/cpu/cast.h): floats become integers by truncation and
// are held inside their range, NaN becomes 0; integers wrap; anything but 0 is true.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cuda {

struct CastArgs {
  const void* in = nullptr;
  void* out = nullptr;
  DType from = DType::f32, to = DType::f32;
  int64_t count = 0;
};
cudaError_t cast(const CastArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
