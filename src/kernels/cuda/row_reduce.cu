// SPDX-License-Identifier: Apache-2.0
// A warp or a block a row where the reduced axis is the last; otherwise 32 neighbouring positions by 8 shares of the
// axis.
#include <type_traits>

#include "kernels/cuda/real.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/cuda/row_reduce.h"

namespace narae::cuda {
namespace {

// How a kind of reduction takes an element in, and what it makes of the result.
template <Reduction K>
struct Kind {
  static constexpr bool is_max = K == Reduction::max, is_min = K == Reduction::min, is_prod = K == Reduction::prod;
  using Op =
      std::conditional_t<is_max, Max, std::conditional_t<is_min, Min, std::conditional_t<is_prod, Product, Sum>>>;
  __device__ static float take(float v) {
    if constexpr (K == Reduction::sum_square || K == Reduction::l2) return v * v;
    if constexpr (K == Reduction::l1) return fabsf(v);
    return v;
  }
  __device__ static float finish(float v, int64_t n) {
    if constexpr (K == Reduction::mean) return v / static_cast<float>(n);
    if constexpr (K == Reduction::l2) return sqrtf(v);
    if constexpr (K == Reduction::log_sum) return logf(v);
    return v;
  }
};

template <typename T, Reduction K>
__global__ void __launch_bounds__(512) reduce_last(ReduceArgs a, bool packs) {
  using Op = typename Kind<K>::Op;
  __shared__ float shared[33];
  const int64_t row = int64_t{blockIdx.x} * blockDim.y + threadIdx.y;
  if (row >= a.outer) return;  // blockDim.y > 1: whole warps
  const T* x = static_cast<const T*>(a.x) + row * a.n;
  float all = Op::empty();
  if (packs) {
    for (int64_t i = threadIdx.x * 8; i < a.n; i += blockDim.x * 8) {
      float v[8];
      load_floats(x + i, v);
#pragma unroll
      for (int j = 0; j < 8; ++j) all = Op::join(all, Kind<K>::take(v[j]));
    }
  } else {
    for (int64_t i = threadIdx.x; i < a.n; i += blockDim.x) all = Op::join(all, Kind<K>::take(to_float(x[i])));
  }
  all = blockDim.x == 32 ? warp_reduce<Op>(all) : block_reduce<Op>(all, shared);
  if (threadIdx.x == 0) store_one(a.y, a.y_type, row, Kind<K>::finish(all, a.n));
}

template <typename T, Reduction K>
__global__ void __launch_bounds__(256) reduce_inner(ReduceArgs a) {
  using Op = typename Kind<K>::Op;
  __shared__ float shared[8][32];
  const int64_t parts = blocks_of(a.inner, 32), outer = blockIdx.x / parts;
  const int64_t inner = blockIdx.x % parts * 32 + threadIdx.x;
  float all = Op::empty();
  if (inner < a.inner) {
    const T* x = static_cast<const T*>(a.x) + outer * a.n * a.inner + inner;
#pragma unroll 4
    for (int64_t i = threadIdx.y; i < a.n; i += 8) all = Op::join(all, Kind<K>::take(to_float(x[i * a.inner])));
  }
  shared[threadIdx.y][threadIdx.x] = all;
  __syncthreads();
  if (threadIdx.y != 0 || inner >= a.inner) return;
  for (int i = 1; i < 8; ++i) all = Op::join(all, shared[i][threadIdx.x]);
  store_one(a.y, a.y_type, outer * a.inner + inner, Kind<K>::finish(all, a.n));
}

// A block a line, whatever the inner stride.
template <typename T>
__global__ void __launch_bounds__(256) log_sum_exp(ReduceArgs a) {
  __shared__ float shared[33];
  const T* x = static_cast<const T*>(a.x) + blockIdx.x / a.inner * a.n * a.inner + blockIdx.x % a.inner;
  HighSum all{-INFINITY, 0};
  for (int64_t i = threadIdx.x; i < a.n; i += blockDim.x) all = join(all, {to_float(x[i * a.inner]), 1});
  const float high = block_reduce<Max>(all.high, shared);
  const float sum = block_reduce<Sum>(all.sum * shrink_of(all.high, high), shared);
  if (threadIdx.x == 0) store_one(a.y, a.y_type, blockIdx.x, isinf(high) ? high : high + logf(sum));
}

template <typename T, Reduction K>
void launch_kind(const ReduceArgs& a, cudaStream_t stream) {
  if (a.inner > 1) {
    reduce_inner<T, K><<<grid_of(a.outer * blocks_of(a.inner, 32)), dim3(32, 8), 0, stream>>>(a);
  } else if (a.n <= 1024) {
    reduce_last<T, K><<<grid_of(blocks_of(a.outer, 8)), dim3(32, 8), 0, stream>>>(a, packable(a.x, a.n, a.n));
  } else {
    reduce_last<T, K><<<grid_of(a.outer), a.n <= 8192 ? 256 : 512, 0, stream>>>(a, packable(a.x, a.n, a.n));
  }
}

template <typename T>
void launch_reduce(const ReduceArgs& a, cudaStream_t stream) {
  switch (a.kind) {
    case Reduction::sum: return launch_kind<T, Reduction::sum>(a, stream);
    case Reduction::mean: return launch_kind<T, Reduction::mean>(a, stream);
    case Reduction::max: return launch_kind<T, Reduction::max>(a, stream);
    case Reduction::min: return launch_kind<T, Reduction::min>(a, stream);
    case Reduction::prod: return launch_kind<T, Reduction::prod>(a, stream);
    case Reduction::sum_square: return launch_kind<T, Reduction::sum_square>(a, stream);
    case Reduction::l1: return launch_kind<T, Reduction::l1>(a, stream);
    case Reduction::l2: return launch_kind<T, Reduction::l2>(a, stream);
    case Reduction::log_sum: return launch_kind<T, Reduction::log_sum>(a, stream);
    case Reduction::log_sum_exp: log_sum_exp<T><<<grid_of(a.outer * a.inner), 256, 0, stream>>>(a); return;
  }
}

// A candidate: its value as something that compares, and its place (-1: none).
template <typename V>
struct Entry {
  V value;
  int64_t place;
};
template <typename V>
__device__ bool above(V a, V b) {
  return a > b || (a != a && b == b);
}
// a comes before b.
template <typename V>
__device__ bool before(const Entry<V>& a, const Entry<V>& b, bool largest, bool last) {
  if (a.place < 0 || b.place < 0) return b.place < 0 && a.place >= 0;
  if (largest ? above(a.value, b.value) : above(b.value, a.value)) return true;
  if (largest ? above(b.value, a.value) : above(a.value, b.value)) return false;
  return last ? a.place > b.place : a.place < b.place;
}

__device__ inline int64_t compared(int8_t v) { return v; }
__device__ inline int64_t compared(uint8_t v) { return v; }
__device__ inline int64_t compared(int32_t v) { return v; }
__device__ inline int64_t compared(int64_t v) { return v; }
template <typename T>
__device__ inline float compared(T v) {
  return to_float(v);
}

// A block a line.
template <typename T>
__global__ void __launch_bounds__(256) topk_line(TopkArgs a) {
  using V = decltype(compared(T{}));
  __shared__ Entry<V> shared[8];
  __shared__ Entry<V> best;
  const int64_t outer = blockIdx.x / a.inner, inner = blockIdx.x % a.inner;
  const T* x = static_cast<const T*>(a.x) + outer * a.size * a.inner + inner;
  Entry<V> done{V{}, -1};
  for (int64_t k = 0; k < a.k; ++k) {
    Entry<V> own{V{}, -1};
    for (int64_t i = threadIdx.x; i < a.size; i += blockDim.x) {
      const Entry<V> here{compared(x[i * a.inner]), i};
      if (k > 0 && !before(done, here, a.largest, a.last)) continue;
      if (before(here, own, a.largest, a.last)) own = here;
    }
#pragma unroll
    for (int apart = 16; apart > 0; apart /= 2) {
      const Entry<V> other{__shfl_xor_sync(all_lanes, own.value, apart), __shfl_xor_sync(all_lanes, own.place, apart)};
      if (before(other, own, a.largest, a.last)) own = other;
    }
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = own;
    __syncthreads();
    if (threadIdx.x == 0) {
      for (int i = 1; i < 8; ++i) {
        if (before(shared[i], own, a.largest, a.last)) own = shared[i];
      }
      best = own;
      const int64_t to = (outer * a.k + k) * a.inner + inner;
      a.places[to] = own.place;
      if (a.values) static_cast<T*>(a.values)[to] = x[own.place * a.inner];
    }
    __syncthreads();
    done = best;
  }
}

}  // namespace

cudaError_t row_reduce(const ReduceArgs& a, cudaStream_t stream) {
  if (!is_real(a.y_type)) return cudaErrorInvalidValue;
  if (a.outer * a.inner == 0) return cudaSuccess;
  return visit_real(a.type, [&](auto tag) { launch_reduce<decltype(tag)>(a, stream); });
}

cudaError_t topk(const TopkArgs& a, cudaStream_t stream) {
  if (a.outer * a.inner * a.k == 0) return cudaSuccess;
  if (a.k > a.size) return cudaErrorInvalidValue;
  const unsigned grid = grid_of(a.outer * a.inner);
  switch (a.type) {
    case DType::i8: topk_line<int8_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::u8: topk_line<uint8_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::i32: topk_line<int32_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::i64: topk_line<int64_t><<<grid, 256, 0, stream>>>(a); break;
    default: return visit_real(a.type, [&](auto tag) { topk_line<decltype(tag)><<<grid, 256, 0, stream>>>(a); });
  }
  return cudaGetLastError();
}

}  // namespace narae::cuda
