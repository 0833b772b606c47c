// SPDX-License-Identifier: Apache-2.0
// 16 rows of weights a block on the matrix units; its warps share out k. The order of k inside a product is free, so a
// lane takes 16 bytes of a row that lie together, straight from memory into the fragments.
#include <algorithm>

#include "kernels/cuda/early_launch.cuh"
#include "kernels/cuda/gate.cuh"
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

// What a block's 16 rows of weights are: rows of one matrix, of one of several, or 8 rows of gate and up each.
enum class Rows { one, several, gated };

struct SkinnyArgs : GemvPartsArgs {
  SkinnyArgs() = default;
  explicit SkinnyArgs(const GemvArgs& a) { static_cast<GemvArgs&>(*this) = a; }
  const void* up = nullptr;
  Gate gate = Gate::silu;
};

// Leaves in `a` the part that this block belongs to; returns the block's first row of it.
__device__ inline int64_t choose_part(SkinnyArgs& a) {
  int64_t block = blockIdx.x;
  int i = 0;
  for (; i + 1 < a.count; ++i) {
    const int64_t blocks = (a.parts[i].n + 15) / 16;
    if (block < blocks) break;
    block -= blocks;
  }
  a.w = a.parts[i].w, a.bias = a.parts[i].bias, a.y = a.parts[i].y;
  a.n = a.y_row = a.parts[i].n;
  return block * 16;
}

template <int Columns>
__device__ inline void store_gated(const SkinnyArgs& a, float (*sums)[16][Columns + 1], int64_t n0) {
  __syncthreads();
  for (int i = threadIdx.x; i < 8 * Columns; i += gemv_threads) {
    const int row = i % 8, column = i / 8;
    const int64_t n = n0 + row;
    if (n >= a.n || column >= a.m) continue;
    float gate = 0, up = 0;
#pragma unroll
    for (int w = 0; w < gemv_warps; ++w) gate += sums[w][row][column], up += sums[w][row + 8][column];
    store_one(a.y, a.y_type, column * a.y_row + n, gate_of(a.gate, gate) * up);
  }
}

// Tiles of 8 rows of x; Parts 2: x is f32.
template <typename T, int Tiles, int Parts, Rows Which>
__global__ void __launch_bounds__(gemv_threads, 2) skinny(SkinnyArgs a) {
  using X = std::conditional_t<Parts == 2, float, T>;
  __shared__ float sums[gemv_warps][16][Tiles * 8 + 1];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, q = lane % 4;
  const int64_t n0 = Which == Rows::several ? choose_part(a) : int64_t{blockIdx.x} * (Which == Rows::gated ? 8 : 16);
  const auto row_of = [&](const void* w, int64_t n) {
    return static_cast<const T*>(w) + (n < a.n ? n : a.n - 1) * a.k;
  };
  const T *low = row_of(a.w, n0 + g), *high = Which == Rows::gated ? row_of(a.up, n0 + g) : row_of(a.w, n0 + g + 8);
  float acc[Tiles][4] = {};
  WeightChunk<T> w;
  int64_t k = int64_t{warp} * chunk + 8 * q;
  if (!a.fixed_weights) after_predecessor();
  w.load(low, high, k, a.k);
  let_successor_begin();
  after_predecessor();
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
  if constexpr (Which == Rows::gated) {
    store_gated<Tiles * 8>(a, sums, n0);
  } else {
    store_sums<16, Tiles * 8>(a, sums, n0);
  }
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

template <typename T, Rows Which>
cudaError_t launch_typed(const SkinnyArgs& a, unsigned grid, cudaStream_t stream) {
  const bool split = a.x_type == DType::f32;
  const auto kernel = a.m <= 8 ? (split ? skinny<T, 1, 2, Which> : skinny<T, 1, 1, Which>)
                               : (split ? skinny<T, 2, 2, Which> : skinny<T, 2, 1, Which>);
  return launch_early(kernel, grid, gemv_threads, stream, a);
}

template <Rows Which>
cudaError_t launch_skinny(const SkinnyArgs& a, int64_t blocks, cudaStream_t stream) {
  return a.w_type == DType::f16 ? launch_typed<__half, Which>(a, grid_of(blocks), stream)
                                : launch_typed<Bf16, Which>(a, grid_of(blocks), stream);
}

bool valid(const GemvArgs& a) {
  return a.m >= 1 && a.m <= gemv_rows && is_real(a.x_type) && is_real(a.w_type) && is_real(a.y_type) &&
         is_real(a.bias_type) && is_real(a.residual_type);
}

bool fits_skinny(const GemvArgs& a, const void* w) {
  return packable(w, a.k, a.k) && packable(a.x, a.k, a.x_row) && a.w_type != DType::f32 && a.k > 0 &&
         (a.x_type == DType::f32 || a.x_type == a.w_type);
}

}  // namespace

cudaError_t gemv(const GemvArgs& given, cudaStream_t stream) {
  GemvArgs a = given;
  if (a.x_row == 0) a.x_row = a.k;
  if (a.y_row == 0) a.y_row = a.n;
  if (!valid(a)) return cudaErrorInvalidValue;
  if (a.n == 0) return cudaSuccess;
  if (fits_skinny(a, a.w)) return launch_skinny<Rows::one>(SkinnyArgs(a), blocks_of(a.n, 16), stream);
  const bool packs = packable(a.w, a.k, a.k) && packable(a.x, a.k, a.x_row);
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

cudaError_t gemv_parts(const GemvPartsArgs& given, cudaStream_t stream) {
  SkinnyArgs a(given);
  std::copy_n(given.parts, gemv_parts_limit, a.parts);
  a.count = given.count;
  a.residual = nullptr;
  if (a.x_row == 0) a.x_row = a.k;
  if (!valid(a) || a.count < 1 || a.count > gemv_parts_limit) return cudaErrorInvalidValue;
  bool fits = true;
  int64_t blocks = 0;
  for (int i = 0; i < a.count; ++i) {
    fits = fits && a.parts[i].n > 0 && fits_skinny(a, a.parts[i].w);
    blocks += blocks_of(a.parts[i].n, 16);
  }
  if (fits) return launch_skinny<Rows::several>(a, blocks, stream);
  for (int i = 0; i < a.count; ++i) {
    a.w = a.parts[i].w, a.bias = a.parts[i].bias, a.y = a.parts[i].y;
    a.n = a.y_row = a.parts[i].n;
    if (const cudaError_t code = gemv(a, stream); code != cudaSuccess) return code;
  }
  return cudaSuccess;
}

cudaError_t gated_gemv(const GatedGemvArgs& given, cudaStream_t stream) {
  SkinnyArgs a(given);
  a.up = given.up, a.gate = given.gate;
  a.bias = a.residual = nullptr;
  if (a.x_row == 0) a.x_row = a.k;
  if (a.y_row == 0) a.y_row = a.n;
  if (!valid(a)) return cudaErrorInvalidValue;
  if (a.n == 0) return cudaSuccess;
  if (!fits_skinny(a, a.w) || !fits_skinny(a, a.up)) return cudaErrorNotSupported;
  return launch_skinny<Rows::gated>(a, blocks_of(a.n, 8), stream);
}

}  // namespace narae::cuda
