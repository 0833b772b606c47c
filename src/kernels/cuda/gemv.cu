// SPDX-License-Identifier: Apache-2.0
// 16 rows of weights a block on the matrix units; its warps share out k. The order of k inside a product is free, so a
// lane takes 16 bytes of a row that lie together, straight from memory into the fragments.
#include "kernels/cuda/gemv.cuh"

namespace narae::cuda {
namespace {

constexpr int chunk = 128;  // values of k that a warp takes at a time

template <typename T>
struct WeightChunk {
  uint4 v[2][chunk / 32];  // of rows g and g + 8: values 32 c + 8 q ..
  __device__ void load(const T* low, const T* high, int64_t k, int64_t end) {
#pragma unroll
    for (int c = 0; c < chunk / 32; ++c) {
      const bool inside = k + 32 * c < end;
      v[0][c] = inside ? __ldcs(reinterpret_cast<const uint4*>(low + k + 32 * c)) : uint4{};
      v[1][c] = inside ? __ldcs(reinterpret_cast<const uint4*>(high + k + 32 * c)) : uint4{};
    }
  }
};

// Tiles of 8 rows of x; Parts 2: x is f32.
template <typename T, int Tiles, int Parts>
__global__ void __launch_bounds__(gemv_threads, 2) skinny(GemvArgs a) {
  using X = std::conditional_t<Parts == 2, float, T>;
  __shared__ float sums[gemv_warps][16][Tiles * 8 + 1];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, q = lane % 4;
  const int64_t n0 = int64_t{blockIdx.x} * 16;
  const auto row_of = [&](int64_t n) { return static_cast<const T*>(a.w) + (n < a.n ? n : a.n - 1) * a.k; };
  const T *low = row_of(n0 + g), *high = row_of(n0 + g + 8);
  float acc[Tiles][4] = {};
  WeightChunk<T> w;
  int64_t k = int64_t{warp} * chunk + 8 * q;
  w.load(low, high, k, a.k);
  for (; k - 8 * q < a.k; k += gemv_warps * chunk) {
    WeightChunk<T> next;
    next.load(low, high, k + gemv_warps * chunk, a.k);
#pragma unroll
    for (int c = 0; c < chunk / 32; ++c) {
      const int64_t at = k + 32 * c;
#pragma unroll
      for (int t = 0; t < Tiles; ++t) {
        const int m = 8 * t + g;
        float x[8] = {};
        if (m < a.m && at < a.k) load_floats(static_cast<const X*>(a.x) + m * a.x_row + at, x);
        uint32_t part[Parts][4];
        const int order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
        split_pairs<T, Parts>(x, order, part);
#pragma unroll
        for (int p = 0; p < Parts; ++p) {
          const uint32_t first[4] = {w.v[0][c].x, w.v[1][c].x, w.v[0][c].y, w.v[1][c].y};
          const uint32_t second[4] = {w.v[0][c].z, w.v[1][c].z, w.v[0][c].w, w.v[1][c].w};
          mma_16816<T>(acc[t], first, part[p][0], part[p][1]);
          mma_16816<T>(acc[t], second, part[p][2], part[p][3]);
        }
      }
    }
    w = next;
  }
#pragma unroll
  for (int t = 0; t < Tiles; ++t) {
#pragma unroll
    for (int i = 0; i < 4; ++i) sums[warp][g + i / 2 * 8][t * 8 + 2 * q + i % 2] = acc[t][i];
  }
  store_sums<16, Tiles * 8>(a, sums, n0);
}

// Any types and alignment: a warp a row of weights, 4 rows of x at a time.
template <typename W, int N>
__global__ void __launch_bounds__(256) any_rows(GemvArgs a) {
  const int lane = threadIdx.x % 32;
  const int64_t n = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / 32;
  if (n >= a.n) return;
  const W* w = static_cast<const W*>(a.w) + n * a.k;
  for (int64_t m0 = 0; m0 < a.m; m0 += 4) {
    float sum[4] = {};
    for (int64_t k = lane * N; k < a.k; k += 32 * N) {
      float v[N];
      load_floats(w + k, v);
#pragma unroll
      for (int m = 0; m < 4; ++m) {
        if (m0 + m >= a.m) continue;
        float x[N];
        load_as(a.x, a.x_type, (m0 + m) * a.x_row + k, x);
#pragma unroll
        for (int i = 0; i < N; ++i) sum[m] = fmaf(v[i], x[i], sum[m]);
      }
    }
#pragma unroll
    for (int m = 0; m < 4; ++m) {
      sum[m] = warp_reduce<Sum>(sum[m]);
      if (lane != 0 || m0 + m >= a.m) continue;
      const int64_t at = (m0 + m) * a.y_row + n;
      if (a.bias) sum[m] += load_one(a.bias, a.bias_type, n);
      if (a.residual) sum[m] += load_one(a.residual, a.residual_type, at);
      store_one(a.y, a.y_type, at, sum[m]);
    }
  }
}

template <typename T>
void launch_skinny(const GemvArgs& a, cudaStream_t stream) {
  const unsigned grid = grid_of(blocks_of(a.n, 16));
  const bool split = a.x_type == DType::f32;
  if (a.m <= 8 && split) return skinny<T, 1, 2><<<grid, gemv_threads, 0, stream>>>(a);
  if (a.m <= 8) return skinny<T, 1, 1><<<grid, gemv_threads, 0, stream>>>(a);
  if (split) return skinny<T, 2, 2><<<grid, gemv_threads, 0, stream>>>(a);
  skinny<T, 2, 1><<<grid, gemv_threads, 0, stream>>>(a);
}

}  // namespace

cudaError_t gemv(const GemvArgs& given, cudaStream_t stream) {
  GemvArgs a = given;
  if (a.x_row == 0) a.x_row = a.k;
  if (a.y_row == 0) a.y_row = a.n;
  if (a.m < 1 || a.m > gemv_rows || !is_real(a.x_type) || !is_real(a.w_type) || !is_real(a.y_type) ||
      !is_real(a.bias_type) || !is_real(a.residual_type)) {
    return cudaErrorInvalidValue;
  }
  if (a.n == 0) return cudaSuccess;
  const bool packs = packable(a.w, a.k, a.k) && packable(a.x, a.k, a.x_row);
  if (packs && a.w_type != DType::f32 && a.k > 0 && (a.x_type == DType::f32 || a.x_type == a.w_type)) {
    if (a.w_type == DType::f16) {
      launch_skinny<__half>(a, stream);
    } else {
      launch_skinny<Bf16>(a, stream);
    }
    return cudaGetLastError();
  }
  return visit_real(a.w_type, [&](auto tag) {
    using W = decltype(tag);
    const unsigned grid = grid_of(blocks_of(a.n, 8));
    if (packs) {
      any_rows<W, 8><<<grid, 256, 0, stream>>>(a);
    } else {
      any_rows<W, 1><<<grid, 256, 0, stream>>>(a);
    }
  });
}

}  // namespace narae::cuda
