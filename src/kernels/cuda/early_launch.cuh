// SPDX-License-Identifier: Apache-2.0
// Programmatic dependent launches: a kernel may begin while the one before it ends, and fetch what no kernel writes
// (weights). The one thing not to get wrong: it must call after_predecessor() before it reads or writes anything else.
#pragma once

#include <cuda_runtime_api.h>

namespace narae::cuda {

// Everything that was launched before is done and seen.
__device__ inline void after_predecessor() { cudaGridDependencySynchronize(); }
// The next kernel may begin, where it was launched early; it waits by itself for this one's end.
__device__ inline void let_successor_begin() { cudaTriggerProgrammaticLaunchCompletion(); }

template <typename... Args>
cudaError_t launch_early(void (*kernel)(Args...), unsigned grid, unsigned threads, cudaStream_t stream, Args... args) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(grid), config.blockDim = dim3(threads);
  config.stream = stream;
  config.attrs = &attribute, config.numAttrs = 1;
  return cudaLaunchKernelEx(&config, kernel, args...);
}

}  // namespace narae::cuda
