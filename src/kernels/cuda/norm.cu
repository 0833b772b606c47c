// SPDX-License-Identifier: Apache-2.0
// A block a row. Rows of up to 16384 values that can be walked in packs stay in registers between the statistics and
// the result; others are read again, from a cache.
#include "kernels/cuda/norm.h"
#include "kernels/cuda/real.cuh"
#include "kernels/cuda/reduce.cuh"

namespace narae::cuda {
namespace {

__device__ float rounded_to(float v, DType type) {
  if (type == DType::f16) return __half2float(__float2half_rn(v));
  return type == DType::bf16 ? __bfloat162float(__float2bfloat16_rn(v)) : v;
}

// x + residual at `at`; written to sum where that is asked for.
template <typename T, int N>
__device__ void sum_at(const NormArgs& a, int64_t at, float (&v)[N]) {
  load_floats(static_cast<const T*>(a.x) + at, v);
  if (a.residual) {
    float more[N];
    load_as(a.residual, a.residual_type, at, more);
#pragma unroll
    for (int i = 0; i < N; ++i) v[i] += more[i];
  }
  if (!a.sum) return;
#pragma unroll
  for (int i = 0; i < N; ++i) v[i] = rounded_to(v[i], a.sum_type);
  store_as(a.sum, a.sum_type, at, v);
}

template <int N>
__device__ void finish(const NormArgs& a, int64_t row, int64_t column, float mean, float factor, float (&v)[N]) {
  float scale[N], bias[N];
  if (a.scale) load_as(a.scale, a.factor_type, column, scale);
  if (a.bias) load_as(a.bias, a.factor_type, column, bias);
#pragma unroll
  for (int i = 0; i < N; ++i) {
    v[i] = (v[i] - mean) * factor;
    if (a.scale) v[i] *= scale[i];
    if (a.bias) v[i] += bias[i];
  }
  store_as(a.y, a.y_type, row * a.n + column, v);
}

template <typename T, int Held>
__global__ void __launch_bounds__(Held == 1 ? 1024 : 512) norm_held(NormArgs a) {
  __shared__ float shared[33];
  const int64_t row = blockIdx.x;
  float v[Held][8];
  float sum = 0;
#pragma unroll
  for (int c = 0; c < Held; ++c) {
    const int64_t at = (c * int64_t{blockDim.x} + threadIdx.x) * 8;
    if (at < a.n) sum_at<T>(a, row * a.n + at, v[c]);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      if (at >= a.n) v[c][i] = 0;
      sum += v[c][i];
    }
  }
  const float mean = a.rms ? 0.f : block_reduce<Sum>(sum, shared) / static_cast<float>(a.n);
  float squares = 0;
#pragma unroll
  for (int c = 0; c < Held; ++c) {
    const bool inside = (c * int64_t{blockDim.x} + threadIdx.x) * 8 < a.n;
#pragma unroll
    for (int i = 0; i < 8; ++i) squares += inside ? (v[c][i] - mean) * (v[c][i] - mean) : 0.f;
  }
  const float factor = rsqrtf(block_reduce<Sum>(squares, shared) / static_cast<float>(a.n) + a.epsilon);
#pragma unroll
  for (int c = 0; c < Held; ++c) {
    const int64_t at = (c * int64_t{blockDim.x} + threadIdx.x) * 8;
    if (at < a.n) finish(a, row, at, mean, factor, v[c]);
  }
}

// y may be x: the rows are read again from sum, or from x before y is written there, by the same thread.
template <typename T>
__global__ void __launch_bounds__(256) norm_row(NormArgs a) {
  __shared__ float shared[33];
  const int64_t row = blockIdx.x;
  NormArgs again = a;
  again.sum = nullptr;
  const auto value_at = [&](int64_t i) {
    float v[1];
    if (a.sum) {
      v[0] = load_one(a.sum, a.sum_type, row * a.n + i);
    } else {
      sum_at<T>(again, row * a.n + i, v);
    }
    return v[0];
  };
  float sum = 0;
  for (int64_t i = threadIdx.x; i < a.n; i += blockDim.x) {
    float v[1];
    sum_at<T>(a, row * a.n + i, v);
    sum += v[0];
  }
  const float mean = a.rms ? 0.f : block_reduce<Sum>(sum, shared) / static_cast<float>(a.n);
  float squares = 0;
  for (int64_t i = threadIdx.x; i < a.n; i += blockDim.x) squares += (value_at(i) - mean) * (value_at(i) - mean);
  const float factor = rsqrtf(block_reduce<Sum>(squares, shared) / static_cast<float>(a.n) + a.epsilon);
  for (int64_t i = threadIdx.x; i < a.n; i += blockDim.x) {
    float v[1] = {value_at(i)};
    finish(a, row, i, mean, factor, v);
  }
}

}  // namespace

cudaError_t norm(const NormArgs& a, cudaStream_t stream) {
  if (!is_real(a.y_type) || !is_real(a.factor_type) || !is_real(a.residual_type) || !is_real(a.sum_type)) {
    return cudaErrorInvalidValue;
  }
  if (a.rows * a.n == 0) return cudaSuccess;
  bool packs = true;
  for (const void* p :
       {a.x, a.residual, static_cast<const void*>(a.sum), static_cast<const void*>(a.y), a.scale, a.bias})
    packs = packs && packable(p, a.n, a.n);
  return visit_real(a.type, [&](auto tag) {
    using T = decltype(tag);
    if (packs && a.n <= 1024 * 8) {
      const auto threads = static_cast<unsigned>(blocks_of(a.n, 8 * 32) * 32);
      norm_held<T, 1><<<grid_of(a.rows), threads, 0, stream>>>(a);
    } else if (packs && a.n <= 512 * 32) {
      norm_held<T, 4><<<grid_of(a.rows), 512, 0, stream>>>(a);
    } else {
      norm_row<T><<<grid_of(a.rows), 256, 0, stream>>>(a);
    }
  });
}

}  // namespace narae::cuda
