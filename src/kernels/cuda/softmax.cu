// SPDX-License-Identifier: Apache-2.0
// A row is held in registers where it fits (read once, written once), else it is read twice. Along an inner axis
// neighbouring threads take neighbouring positions.
#include "kernels/cuda/real.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/cuda/softmax.h"

namespace narae::cuda {
namespace {

constexpr int most_held = 4;  // packs of 8 that a thread holds

struct RowResult {
  float high, factor, log_sum;
  __device__ float of(float x, bool log) const { return log ? x - high - log_sum : __expf(x - high) * factor; }
};

// Blocks of blockDim.y rows; blockDim.x threads (32, or all of the block with blockDim.y == 1) share a row of packs.
template <typename T, int held>
__global__ void __launch_bounds__(512) softmax_held(SoftmaxArgs a) {
  __shared__ float shared[33];
  const int64_t row = int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
  const bool alone = blockDim.x == 32;
  if (row >= a.outer) return;  // blockDim.y > 1: whole warps, without barriers
  const T* x = static_cast<const T*>(a.x) + row * a.n;
  float v[held][8];
  float high = -INFINITY;
#pragma unroll
  for (int c = 0; c < held; ++c) {
    const int64_t at = (c * int64_t{blockDim.x} + threadIdx.x) * 8;
    if (at < a.n) load_floats(x + at, v[c]);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      if (at >= a.n) v[c][i] = -INFINITY;
      high = Max::join(high, v[c][i]);
    }
  }
  high = alone ? warp_reduce<Max>(high) : block_reduce<Max>(high, shared);
  float sum = 0;
#pragma unroll
  for (int c = 0; c < held; ++c) {
#pragma unroll
    for (int i = 0; i < 8; ++i) sum += __expf(v[c][i] - high);
  }
  // Rows of nothing but -inf are NaN, as everywhere.
  sum = alone ? warp_reduce<Sum>(sum) : block_reduce<Sum>(sum, shared);
  const RowResult result{high, 1.f / sum, __logf(sum)};
#pragma unroll
  for (int c = 0; c < held; ++c) {
    const int64_t at = (c * int64_t{blockDim.x} + threadIdx.x) * 8;
    if (at >= a.n) continue;
#pragma unroll
    for (int i = 0; i < 8; ++i) v[c][i] = result.of(v[c][i], a.log);
    store_as(a.y, a.y_type, row * a.n + at, v[c]);
  }
}

__device__ HighSum block_join(HighSum v, float* shared) {
  const float high = block_reduce<Max>(v.high, shared);
  return {high, block_reduce<Sum>(v.sum * shrink_of(v.high, high), shared)};
}

// A block a row, any n; N 1: any alignment.
template <typename T, int N>
__global__ void __launch_bounds__(1024) softmax_row(SoftmaxArgs a) {
  __shared__ float shared[33];
  const T* x = static_cast<const T*>(a.x) + blockIdx.x * a.n;
  HighSum all{-INFINITY, 0};
  for (int64_t i = threadIdx.x * N; i < a.n; i += blockDim.x * N) {
    float v[N];
    load_floats(x + i, v);
    float top = all.high;
#pragma unroll
    for (int j = 0; j < N; ++j) top = Max::join(top, v[j]);
    all.sum *= shrink_of(all.high, top);
    all.high = top;
#pragma unroll
    for (int j = 0; j < N; ++j) all.sum += __expf(v[j] - (top == -INFINITY ? 0.f : top));
  }
  all = block_join(all, shared);
  const RowResult result{all.high, 1.f / all.sum, __logf(all.sum)};
  for (int64_t i = threadIdx.x * N; i < a.n; i += blockDim.x * N) {
    float v[N];
    load_floats(x + i, v);
#pragma unroll
    for (int j = 0; j < N; ++j) v[j] = result.of(v[j], a.log);
    store_as(a.y, a.y_type, blockIdx.x * a.n + i, v);
  }
}

template <typename T>
__global__ void __launch_bounds__(256) softmax_inner(SoftmaxArgs a) {
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= a.outer * a.inner) return;
  const int64_t first = at / a.inner * a.n * a.inner + at % a.inner;
  const T* x = static_cast<const T*>(a.x) + first;
  HighSum all{-INFINITY, 0};
  for (int64_t i = 0; i < a.n; ++i) all = join(all, {to_float(x[i * a.inner]), 1});
  const RowResult result{all.high, 1.f / all.sum, __logf(all.sum)};
  for (int64_t i = 0; i < a.n; ++i) {
    store_one(a.y, a.y_type, first + i * a.inner, result.of(to_float(x[i * a.inner]), a.log));
  }
}

}  // namespace

cudaError_t softmax(const SoftmaxArgs& a, cudaStream_t stream) {
  if (!is_real(a.y_type)) return cudaErrorInvalidValue;
  if (a.outer * a.n * a.inner == 0) return cudaSuccess;
  const bool packs = packable(a.x, a.n, a.n) && packable(a.y, a.n, a.n);
  return visit_real(a.type, [&](auto tag) {
    using T = decltype(tag);
    if (a.inner > 1) {
      softmax_inner<T><<<grid_of(blocks_of(a.outer * a.inner, 256)), 256, 0, stream>>>(a);
    } else if (packs && a.n <= 32 * 8) {
      softmax_held<T, 1><<<grid_of(blocks_of(a.outer, 4)), dim3(32, 4), 0, stream>>>(a);
    } else if (packs && a.n <= 32 * 8 * most_held) {
      softmax_held<T, most_held><<<grid_of(blocks_of(a.outer, 4)), dim3(32, 4), 0, stream>>>(a);
    } else if (packs && a.n <= 512 * 8 * most_held) {
      const auto threads = static_cast<unsigned>(blocks_of(a.n, 8 * most_held * 32) * 32);
      softmax_held<T, most_held><<<grid_of(a.outer), dim3(threads < 64 ? 64 : threads), 0, stream>>>(a);
    } else if (packs) {
      softmax_row<T, 8><<<grid_of(a.outer), 1024, 0, stream>>>(a);
    } else {
      softmax_row<T, 1><<<grid_of(a.outer), a.n <= 2048 ? 256 : 1024, 0, stream>>>(a);
    }
  });
}

}  // namespace narae::cuda
