// SPDX-License-Identifier: Apache-2.0
// Each warp copies its share of the rows' bytes to shared memory as they are, 256 values of 16 or 32 rows at a time and
// two copies ahead, and turns them there into whole numbers in bf16 for the matrix units. Factors are applied to sums
// of 32 (or 16) products; what a format adds to each value is multiplied by the sum of x, itself a product with ones.
#include "kernels/cuda/block_decode.cuh"
#include "kernels/cuda/gemv.cuh"

namespace narae::cuda {
namespace {

constexpr int segment = 256, groups = segment / 32, stages = 3;

template <BlockFormat F, int Rows>
struct WarpMemory {
  static constexpr int bytes = Blocks<F>::bytes * (segment / Blocks<F>::values);
  // Room for rows that do not begin on 16 bytes; an odd number of 16s keeps eight rows on different banks.
  static constexpr int stride = ((bytes + 14 + 15) / 16 | 1) * 16;
  uint8_t raw[stages][Rows][stride];
  float2 factors[Rows][groups + 1];
};

// A part of each row to `memory`, at the same place modulo 16, in whole 16s; what these reach over on either side is
// not looked at. Behind the end of all weights nothing is read.
template <BlockFormat F, int Rows>
__device__ void fetch(WarpMemory<F, Rows>& memory, int stage, const BlockGemvArgs& a, int64_t n0, int64_t part,
                      int64_t row_bytes, int lane) {
  constexpr int pieces = WarpMemory<F, Rows>::stride / 16, bytes = WarpMemory<F, Rows>::bytes;
  const auto* w = static_cast<const uint8_t*>(a.w);
  const uint8_t* end = w + a.n * row_bytes;
  for (int i = lane; i < Rows * pieces; i += 32) {
    const int row = i / pieces, piece = i % pieces;
    const int64_t n = n0 + row < a.n ? n0 + row : a.n - 1;
    const uint8_t* from = w + n * row_bytes + part * bytes;
    const uint8_t* to = w + n * row_bytes + (row_bytes < (part + 1) * bytes ? row_bytes : (part + 1) * bytes);
    const uint8_t* at = from - (reinterpret_cast<uintptr_t>(from) & 15) + 16 * piece;
    uint8_t* place = &memory.raw[stage][row][16 * piece];
    if (at >= to) continue;
    if (at + 16 <= end) {
      copy_async(place, at);
      continue;
    }
    for (int b = 0; at + b < end; b += 2)
      *reinterpret_cast<uint16_t*>(place + b) = static_cast<uint16_t>(half_word(at + b));
  }
}

template <BlockFormat F, int Rows, int Tiles, int Parts>
struct BlockWarp {
  static constexpr int sets = Rows / 16;
  float acc[sets][Tiles][4] = {};

  template <typename X>
  __device__ void x_pairs(const BlockGemvArgs& a, int64_t k, int m, uint32_t (&part)[Parts][4]) const {
    float x[8] = {};
    if (m < a.m) {
      float first[4], second[4];
      load_floats(static_cast<const X*>(a.x) + m * a.x_row + k, first);
      load_floats(static_cast<const X*>(a.x) + m * a.x_row + k + 16, second);
#pragma unroll
      for (int i = 0; i < 4; ++i) x[i] = first[i], x[4 + i] = second[i];
    }
    const int order[8] = {0, 2, 1, 3, 4, 6, 5, 7};
    split_pairs<Bf16, Parts>(x, order, part);
  }

  // 32 values from k0 on; rows: each row's bytes.
  template <typename X>
  __device__ void group(const BlockGemvArgs& a, const WarpMemory<F, Rows>& memory,
                        const uint8_t* const (&rows)[2 * sets], int i, int64_t k0, int g, int q) {
    uint32_t part[Tiles][Parts][4];
    float ones[Tiles][4] = {};
#pragma unroll
    for (int t = 0; t < Tiles; ++t) {
      x_pairs<X>(a, k0 + 4 * q, 8 * t + g, part[t]);
      if constexpr (!Blocks<F>::has_min) continue;
      const uint32_t one[4] = {0x3f803f80u, 0x3f803f80u, 0x3f803f80u, 0x3f803f80u};
#pragma unroll
      for (int p = 0; p < Parts; ++p) {
        mma_16816<Bf16>(ones[t], one, part[t][p][0], part[t][p][1]);
        mma_16816<Bf16>(ones[t], one, part[t][p][2], part[t][p][3]);
      }
    }
#pragma unroll
    for (int s = 0; s < sets; ++s) {
      uint32_t low[4], high[4];
      Blocks<F>::share(rows[2 * s], i, q, low);
      Blocks<F>::share(rows[2 * s + 1], i, q, high);
      const float2 f[2] = {memory.factors[16 * s + g][i], memory.factors[16 * s + g + 8][i]};
      const uint32_t first[4] = {low[0], high[0], low[1], high[1]}, second[4] = {low[2], high[2], low[3], high[3]};
#pragma unroll
      for (int t = 0; t < Tiles; ++t) {
        float c[4] = {}, d[4] = {};
#pragma unroll
        for (int p = 0; p < Parts; ++p) {
          mma_16816<Bf16>(c, first, part[t][p][0], part[t][p][1]);
          if constexpr (Blocks<F>::split) {
            mma_16816<Bf16>(d, second, part[t][p][2], part[t][p][3]);
          } else {
            mma_16816<Bf16>(c, second, part[t][p][2], part[t][p][3]);
          }
        }
#pragma unroll
        for (int e = 0; e < 4; ++e) {
          float& sum = acc[s][t][e];
          sum = fmaf(f[e / 2].x, c[e], sum);
          if constexpr (Blocks<F>::split) sum = fmaf(f[e / 2].y, d[e], sum);
          if constexpr (Blocks<F>::has_min) sum = fmaf(f[e / 2].y, ones[t][e], sum);
        }
      }
    }
  }
};

template <BlockFormat F, int Rows, int Tiles, typename X>
__global__ void __launch_bounds__(gemv_threads, 2) block_rows(BlockGemvArgs a) {
  constexpr int Parts = std::is_same_v<X, Bf16> ? 1 : 2;
  using Memory = WarpMemory<F, Rows>;
  extern __shared__ __align__(16) unsigned char dynamic[];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, q = lane % 4;
  Memory& memory = reinterpret_cast<Memory*>(dynamic)[warp];
  const int64_t n0 = int64_t{blockIdx.x} * Rows, row_bytes = a.k / Blocks<F>::values * Blocks<F>::bytes;
  const int64_t parts = (a.k + segment - 1) / segment;
  BlockWarp<F, Rows, Tiles, Parts> own;
  for (int s = 0; s + 1 < stages; ++s) {
    if (warp + s * gemv_warps < parts) fetch<F, Rows>(memory, s, a, n0, warp + s * gemv_warps, row_bytes, lane);
    commit_copies();
  }
  int stage = 0;
  for (int64_t part = warp; part < parts; part += gemv_warps, stage = (stage + 1) % stages) {
    const int64_t ahead = part + (stages - 1) * gemv_warps;
    if (ahead < parts) fetch<F, Rows>(memory, (stage + stages - 1) % stages, a, n0, ahead, row_bytes, lane);
    commit_copies();
    wait_copies<stages - 1>();
    __syncwarp();
    const auto row_at = [&](int row) {
      const int64_t n = n0 + row < a.n ? n0 + row : a.n - 1;
      const auto from = reinterpret_cast<uintptr_t>(a.w) + static_cast<uintptr_t>(n * row_bytes + part * Memory::bytes);
      return static_cast<const uint8_t*>(memory.raw[stage][row]) + (from & 15);
    };
    const int64_t left = (a.k - part * segment) / 32;
    const int count = left < groups ? static_cast<int>(left) : groups;
    for (int i = lane; i < Rows * groups; i += 32) {
      if (i % groups < count)
        memory.factors[i / groups][i % groups] = Blocks<F>::factors(row_at(i / groups), i % groups);
    }
    __syncwarp();
    const uint8_t* rows[Rows / 8];
#pragma unroll
    for (int r = 0; r < Rows / 8; ++r) rows[r] = row_at(8 * r + g);
#pragma unroll 2
    for (int i = 0; i < count; ++i) own.template group<X>(a, memory, rows, i, part * segment + 32 * i, g, q);
    __syncwarp();
  }
  wait_copies<0>();
  __syncthreads();  // sums take the place of the bytes
  auto* sums = reinterpret_cast<float(*)[Rows][Tiles * 8 + 1]>(dynamic);
#pragma unroll
  for (int s = 0; s < Rows / 16; ++s) {
#pragma unroll
    for (int t = 0; t < Tiles; ++t) {
#pragma unroll
      for (int e = 0; e < 4; ++e) sums[warp][16 * s + g + e / 2 * 8][t * 8 + 2 * q + e % 2] = own.acc[s][t][e];
    }
  }
  store_sums<Rows, Tiles * 8>(a, sums, n0);
}

template <BlockFormat F, int Rows, int Tiles, typename X>
cudaError_t launch(const BlockGemvArgs& a, cudaStream_t stream) {
  constexpr int bytes = gemv_warps * static_cast<int>(sizeof(WarpMemory<F, Rows>));
  static_assert(bytes >= gemv_warps * Rows * (Tiles * 8 + 1) * 4 && bytes <= 227 * 1024);
  const auto kernel = block_rows<F, Rows, Tiles, X>;
  const cudaError_t set = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  if (set != cudaSuccess) return set;
  kernel<<<grid_of(blocks_of(a.n, Rows)), gemv_threads, bytes, stream>>>(a);
  return cudaGetLastError();
}

template <BlockFormat F, typename X>
cudaError_t launch_sized(const BlockGemvArgs& a, cudaStream_t stream) {
  if (a.m > 8) return launch<F, 16, 2, X>(a, stream);
  return launch<F, 16, 1, X>(a, stream);
}

}  // namespace

cudaError_t block_gemv(const BlockGemvArgs& given, cudaStream_t stream) {
  BlockGemvArgs a = given;
  if (a.x_row == 0) a.x_row = a.k;
  if (a.y_row == 0) a.y_row = a.n;
  const BlockFormatInfo& info = block_format_info(a.format);
  if (a.format == BlockFormat::none || a.m < 1 || a.m > gemv_rows || a.k < 1 || a.k % info.values != 0 ||
      !is_real(a.y_type) || !is_real(a.x_type) || !is_real(a.bias_type) || !is_real(a.residual_type) ||
      !is_aligned(a.x) || a.x_row % 8 != 0 || reinterpret_cast<uintptr_t>(a.w) % 16 != 0) {
    return cudaErrorInvalidValue;
  }
  if (a.n == 0) return cudaSuccess;
  cudaError_t result = cudaErrorInvalidValue;
  visit_format(a.format, [&]<BlockFormat F>() {
    visit_real(a.x_type, [&](auto tag) { result = launch_sized<F, decltype(tag)>(a, stream); });
  });
  return result;
}

}  // namespace narae::cuda
