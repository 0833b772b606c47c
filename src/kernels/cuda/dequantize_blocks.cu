// SPDX-License-Identifier: Apache-2.0
// 8 values a thread.
#include "kernels/cuda/block_decode.cuh"
#include "kernels/cuda/dequantize_blocks.h"

namespace narae::cuda {
namespace {

template <BlockFormat F>
__global__ void __launch_bounds__(256) decode(DequantizeArgs a) {
  constexpr int each = Blocks<F>::values / 8;
  const int64_t task = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (task >= a.blocks * each) return;
  float out[8];
  Blocks<F>::eight(static_cast<const uint8_t*>(a.in) + task / each * Blocks<F>::bytes,
                   static_cast<int>(task % each) * 8, out);
  store_as(a.out, a.type, task * 8, out);
}

}  // namespace

cudaError_t dequantize_blocks(const DequantizeArgs& a, cudaStream_t stream) {
  if (!is_real(a.type) || a.format == BlockFormat::none || !is_aligned(a.out)) return cudaErrorInvalidValue;
  if (a.blocks == 0) return cudaSuccess;
  visit_format(a.format, [&]<BlockFormat F>() {
    decode<F><<<grid_of(blocks_of(a.blocks * Blocks<F>::values / 8, 256)), 256, 0, stream>>>(a);
  });
  return cudaGetLastError();
}

}  // namespace narae::cuda
