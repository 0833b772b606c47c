// SPDX-License-Identifier: Apache-2.0
// The batch-reduce GEMM tile: C[M x N] (+)= sum over i of A_i[M x K] * B_i[K x N], FP32, the one inner loop under GEMM,
// convolution, Winograd and attention (Georganas et al., "High-Performance Deep Learning via a Single Building Block",
// 2019). The one thing not to get wrong: B_i is packed as [K][nv * lanes] without gaps, and N counts whole vectors;
// only the last vector of C may be narrower (`tail`).
#pragma once

#include <cstdint>
#include <string_view>

namespace narae::cpu {

// What is done to an element after bias and residual. More general epilogues run over the hot tile afterwards.
enum class Act : uint8_t {
  none,
  relu,
  clip,        // min(max(x, lo), hi)
  hard_swish,  // x * clip(x / 6 + 0.5, 0, 1)
  leaky,       // x > 0 ? x : lo * x
};

// All strides and offsets count floats. Every pointer but a, b, c may be null.
struct BrgemmArgs {
  const float* a = nullptr;
  const int64_t* a_offsets = nullptr;  // A_i = a + a_offsets[i]; null: a + i * a_stride
  int64_t a_stride = 0;
  int64_t lda = 0;  // between the rows of A; a strided convolution has lda = stride * channels
  const float* b = nullptr;
  int64_t b_stride = 0;  // B_i = b + i * b_stride
  int64_t batch = 1;
  int64_t k = 0;
  // The last `short_items` of the batch have only the first k_short of their k (a channel tail); B keeps its stride.
  int64_t short_items = 0, k_short = 0;
  float* c = nullptr;
  int64_t ldc = 0;              // between the rows of C
  int64_t c_vec_stride = 0;     // between the vectors of one row: lanes (row-major) or a channel block's size (blocked)
  bool accumulate = false;      // start from C instead of from zero
  int tail = 0;                 // lanes of each row's last vector that exist in C; 0: all. bias has the same tail
  const float* bias = nullptr;  // per column, added first
  const float* residual = nullptr;  // added next, with its own strides
  int64_t ldr = 0;
  int64_t r_vec_stride = 0;
  Act act = Act::none;
  float lo = 0.f, hi = 0.f;
};

using BrgemmFn = void (*)(const BrgemmArgs&);

constexpr int max_brgemm_rows = 28;
constexpr int max_brgemm_vectors = 4;

// The tiles of one instruction set: tile[nv - 1][m - 1] for nv in 1..max_vectors, m in 1..max_rows[nv - 1].
struct BrgemmTiles {
  int lanes = 0;
  int registers = 0;
  int max_vectors = 0;
  int max_rows[max_brgemm_vectors] = {};
  BrgemmFn tile[max_brgemm_vectors][max_brgemm_rows] = {};
  double (*multiply_add_peak)(int64_t iterations) = nullptr;  // PeakLoops::fma: what shares of peak refer to

  void run(int rows, int vectors, const BrgemmArgs& args) const { tile[vectors - 1][rows - 1](args); }
};

// Independent sums per accumulator of a tile, so that a small one still hides the latency of the multiply-add. Tiles
// with as many of them add up a column in the same order.
constexpr int brgemm_chains(int registers, int accumulators) {
  if (registers < 32) return accumulators >= 5 ? 1 : accumulators >= 3 ? 2 : 4;
  return accumulators >= 7 ? 1 : accumulators >= 4 ? 2 : 4;
}

// The tiles for an ISA name of known_isas(); null for an unknown one. It does not ask what the machine supports.
const BrgemmTiles* brgemm_tiles(std::string_view isa);

extern const BrgemmTiles brgemm_tiles_portable;
#if defined(__x86_64__)
extern const BrgemmTiles brgemm_tiles_avx2;
extern const BrgemmTiles brgemm_tiles_avx512;
#endif

// Splits `rows` into tiles of nearly equal height, none above `max_rows`: 49 -> 13, 12, 12, 12 rather than 14, 14,
// 14, 7.
struct RowSplit {
  int64_t tiles = 0;
  int64_t base = 0;   // height of a tile
  int64_t extra = 0;  // the first `extra` tiles are one higher
};

inline RowSplit split_rows(int64_t rows, int64_t max_rows) {
  RowSplit s;
  s.tiles = (rows + max_rows - 1) / max_rows;
  if (s.tiles > 0) {
    s.base = rows / s.tiles;
    s.extra = rows % s.tiles;
  }
  return s;
}

}  // namespace narae::cpu
