// SPDX-License-Identifier: Apache-2.0
// Reductions over a warp and over a block, in an order that is always the same. Every thread of the block must come,
// and every thread gets the result.
#pragma once

#include <cmath>
#include <cstdint>

namespace narae::cuda {

inline constexpr unsigned all_lanes = 0xffffffffu;

struct Sum {
  __device__ static float empty() { return 0.f; }
  __device__ static float join(float a, float b) { return a + b; }
};
// NaN wins, as it does on the host.
struct Max {
  __device__ static float empty() { return -INFINITY; }
  __device__ static float join(float a, float b) { return a > b || a != a ? a : b; }
};
struct Min {
  __device__ static float empty() { return INFINITY; }
  __device__ static float join(float a, float b) { return a < b || a != a ? a : b; }
};
struct Product {
  __device__ static float empty() { return 1.f; }
  __device__ static float join(float a, float b) { return a * b; }
};

template <typename Op>
__device__ inline float warp_reduce(float v) {
#pragma unroll
  for (int apart = 16; apart > 0; apart /= 2) v = Op::join(v, __shfl_xor_sync(all_lanes, v, apart));
  return v;
}

// `shared`: 33 floats, free again when the call returns. Threads are a multiple of 32, at most 1024.
template <typename Op>
__device__ inline float block_reduce(float v, float* shared) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = (blockDim.x + 31) / 32;
  v = warp_reduce<Op>(v);
  if (warps == 1) return v;
  if (lane == 0) shared[warp] = v;
  __syncthreads();
  if (warp == 0) {
    v = warp_reduce<Op>(lane < warps ? shared[lane] : Op::empty());
    if (lane == 0) shared[32] = v;
  }
  __syncthreads();
  v = shared[32];
  __syncthreads();
  return v;
}

// Of a softmax: the largest so far and the sum of exp(x - high).
struct HighSum {
  float high, sum;
};
__device__ inline float shrink_of(float from, float to) { return from == to ? 1.f : __expf(from - to); }
__device__ inline HighSum join(HighSum a, HighSum b) {
  const float high = Max::join(a.high, b.high);
  return {high, a.sum * shrink_of(a.high, high) + b.sum * shrink_of(b.high, high)};
}

}  // namespace narae::cuda
