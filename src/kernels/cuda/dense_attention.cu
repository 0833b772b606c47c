// SPDX-License-Identifier: Apache-2.0
// Tiles of 64 or 128 queries on the matrix units, or 8 queries a block in f32.
#include "kernels/cuda/attention_tile.cuh"
#include "kernels/cuda/dense_attention.h"

namespace narae::cuda {
namespace {

template <typename T, int D>
struct DenseTile {
  DenseAttentionArgs a;
  int row0;
  const T *q, *k, *v;
  T* out;
  int64_t bias;  // of the head

  __device__ int begin() const { return 0; }
  __device__ int end() const { return static_cast<int>(a.keys); }
  __device__ int place(int token) const { return token; }
  __device__ const T* key(int token) const { return k + token * a.k_strides.token; }
  __device__ const T* value(int token) const { return v + token * a.v_strides.token; }
  __device__ bool inside(int m) const { return row0 + m < a.queries; }
  __device__ void query(int m, int d, float (&x)[2]) const {
    x[0] = x[1] = 0;
    if (inside(m)) load_floats(q + (row0 + m) * a.q_strides.token + d, x);
  }
  __device__ float bias_at(int64_t at) const {
    return fmaxf(log2_of_e * load_one(a.bias, a.bias_type, bias + at), lowest_score);
  }
  __device__ bool by_query() const { return a.bias && a.bias_query != 0; }
  __device__ float shift(int token) const { return a.bias && !by_query() ? bias_at(token * a.bias_key) : 0.f; }
  __device__ bool plain(int, int) const { return a.bias == nullptr; }
  __device__ float score(float s, int m, int token) const {
    return by_query() && inside(m) ? s + bias_at((row0 + m) * a.bias_query + token * a.bias_key) : s;
  }
  __device__ float scale() const { return a.scale * log2_of_e; }
  __device__ void store(int m, int d, float x, float y) const {
    const float pair[2] = {x, y};
    if (inside(m)) store_floats(out + (row0 + m) * a.out_strides.token + d, pair);
  }
};

__device__ inline int64_t offset(const AttentionStrides& s, int64_t batch, int64_t head) {
  return batch * s.batch + head * s.head;
}

template <typename T, int D, int Rows>
__global__ void __launch_bounds__(2 * Rows, blocks_at_once(D, Rows)) dense_mma(DenseAttentionArgs a) {
  extern __shared__ __align__(128) unsigned char memory[];
  const int64_t batch = blockIdx.y / a.heads, head = blockIdx.y % a.heads;
  DenseTile<T, D> p;
  p.a = a, p.row0 = static_cast<int>(blockIdx.x) * Rows;
  p.q = static_cast<const T*>(a.q) + offset(a.q_strides, batch, head);
  p.k = static_cast<const T*>(a.k) + offset(a.k_strides, batch, head);
  p.v = static_cast<const T*>(a.v) + offset(a.v_strides, batch, head);
  p.out = static_cast<T*>(a.out) + offset(a.out_strides, batch, head);
  p.bias = batch * a.bias_batch + head * a.bias_head;
  attend_tile<T, D, Rows>(p, *reinterpret_cast<AttentionTile<T, D>*>(memory));
}

// 8 queries, a warp each; keys in blocks of 32, a lane a key for the scores and 8 value dimensions for the result.
constexpr int any_width = 256;
template <typename T>
__global__ void __launch_bounds__(256) dense_any(DenseAttentionArgs a) {
  __shared__ float q[8][any_width];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t batch = blockIdx.y / a.heads, head = blockIdx.y % a.heads, row = int64_t{blockIdx.x} * 8 + warp;
  if (row >= a.queries) return;  // whole warps; no barriers follow
  const T* from = static_cast<const T*>(a.q) + offset(a.q_strides, batch, head) + row * a.q_strides.token;
  const T* keys = static_cast<const T*>(a.k) + offset(a.k_strides, batch, head);
  const T* values = static_cast<const T*>(a.v) + offset(a.v_strides, batch, head);
  for (int64_t d = lane; d < a.width; d += 32) q[warp][d] = to_float(from[d]) * a.scale;
  __syncwarp();
  float high = -INFINITY, sum = 0, value[any_width / 32] = {};
  for (int64_t t0 = 0; t0 < a.keys; t0 += 32) {
    const int64_t t = t0 + lane;
    float score = -INFINITY;
    if (t < a.keys) {
      const T* key = keys + t * a.k_strides.token;
      score = 0;
      for (int64_t d = 0; d < a.width; ++d) score = fmaf(q[warp][d], to_float(key[d]), score);
      if (a.bias) {
        const int64_t at = batch * a.bias_batch + head * a.bias_head + row * a.bias_query + t * a.bias_key;
        score += fmaxf(load_one(a.bias, a.bias_type, at), lowest_score);
      }
    }
    const float top = fmaxf(high, warp_reduce<Max>(score)), base = top == -INFINITY ? 0.f : top;
    const float shrink = expf(high - base), weight = expf(score - base);
    high = top, sum = sum * shrink + warp_reduce<Sum>(weight);
#pragma unroll
    for (float& v : value) v *= shrink;
    const int count = static_cast<int>(min(int64_t{32}, a.keys - t0));
    for (int i = 0; i < count; ++i) {
      const float w = __shfl_sync(all_lanes, weight, i);
      const T* from_value = values + (t0 + i) * a.v_strides.token;
#pragma unroll
      for (int k = 0; k < any_width / 32; ++k) {
        if (lane + 32 * k < a.value_width) value[k] = fmaf(w, to_float(from_value[lane + 32 * k]), value[k]);
      }
    }
  }
  T* to = static_cast<T*>(a.out) + offset(a.out_strides, batch, head) + row * a.out_strides.token;
  for (int k = 0; k < any_width / 32; ++k) {
    if (lane + 32 * k < a.value_width) to[lane + 32 * k] = from_float<T>(sum > 0 ? value[k] / sum : 0.f);
  }
}

template <typename T, int D, int Rows>
cudaError_t launch_tiles(const DenseAttentionArgs& a, cudaStream_t stream) {
  const cudaError_t set = cudaFuncSetAttribute(dense_mma<T, D, Rows>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                               static_cast<int>(sizeof(AttentionTile<T, D>)));
  if (set != cudaSuccess) return set;
  const dim3 grid(grid_of(blocks_of(a.queries, Rows)), grid_of(a.batch * a.heads));
  dense_mma<T, D, Rows><<<grid, 2 * Rows, sizeof(AttentionTile<T, D>), stream>>>(a);
  return cudaGetLastError();
}

template <typename T, int D>
cudaError_t launch(const DenseAttentionArgs& a, cudaStream_t stream) {
  const bool many = a.queries > 64 && blocks_of(a.queries, 128) * a.batch * a.heads >= 132;
  return many ? launch_tiles<T, D, 128>(a, stream) : launch_tiles<T, D, 64>(a, stream);
}

bool walks_in_packs(const void* p, const AttentionStrides& s) {
  return is_aligned(p) && s.batch % 8 == 0 && s.head % 8 == 0 && s.token % 8 == 0;
}

}  // namespace

cudaError_t dense_attention(const DenseAttentionArgs& a, cudaStream_t stream) {
  if (!is_real(a.bias_type) || a.width < 1 || a.width > any_width || a.value_width > any_width ||
      a.batch * a.heads > 65535) {
    return cudaErrorInvalidValue;
  }
  if (a.batch * a.heads * a.queries * a.value_width == 0) return cudaSuccess;
  const bool packs = walks_in_packs(a.q, a.q_strides) && walks_in_packs(a.k, a.k_strides) &&
                     walks_in_packs(a.v, a.v_strides) && walks_in_packs(a.out, a.out_strides);
  if (packs && a.width == a.value_width && a.type != DType::f32 && a.keys > 0) {
    if (a.width == 64) return a.type == DType::f16 ? launch<__half, 64>(a, stream) : launch<Bf16, 64>(a, stream);
    if (a.width == 128) return a.type == DType::f16 ? launch<__half, 128>(a, stream) : launch<Bf16, 128>(a, stream);
  }
  return visit_real(a.type, [&](auto tag) {
    const dim3 grid(grid_of(blocks_of(a.queries, 8)), grid_of(a.batch * a.heads));
    dense_any<decltype(tag)><<<grid, 256, 0, stream>>>(a);
  });
}

}  // namespace narae::cuda
