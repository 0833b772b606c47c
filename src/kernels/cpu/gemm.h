// SPDX-License-Identifier: Apache-2.0
// FP32 matrix products over ranges of tasks: row-major A [m, k] and C [m, n], B packed ahead (constant) or on the fly
// (batched, as in attention). Serial: a pool hands out task ranges and one scratch per thread. The one thing not to get
// wrong: a config's `nv` must be the one B was packed with (nr = nv * lanes).
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/brgemm.h"

namespace narae::cpu {

struct GemmShape {
  int64_t m = 0, n = 0, k = 0;
};

// A task is mc rows by nc columns; inside, k is cut into kc. nc is a multiple of nv * lanes.
struct GemmConfig {
  int64_t mc = 0, nc = 0, kc = 0;
  int nv = 0;
  bool copy_a = false;  // first copy A's block into scratch: for strides that fall on few cache sets

  bool operator==(const GemmConfig&) const = default;
};

// A finished part of C that is still in cache. row and column are its place in C (for a convolution: pixel of the
// image and output channel; `image` is the batch index).
struct HotTile {
  float* data = nullptr;
  int64_t row_stride = 0;
  int64_t rows = 0, columns = 0;
  int64_t row = 0, column = 0, image = 0;
};

// Any further epilogue; runs on the thread that computed the tile.
struct TileCallback {
  void (*run)(void* context, const HotTile& tile) = nullptr;
  void* context = nullptr;
};

struct GemmEpilogue {
  const float* bias = nullptr;      // [n]
  const float* residual = nullptr;  // [m, n] with row stride ldr
  int64_t ldr = 0;
  Act act = Act::none;
  float lo = 0.f, hi = 0.f;
  TileCallback after;
};

struct CacheSizes {
  int64_t l1d = 32 << 10, l2 = 512 << 10;
};

// Sensible configs for a shape, the likeliest first; never empty.
std::vector<GemmConfig> gemm_configs(const GemmShape& shape, const BrgemmTiles& tiles, const CacheSizes& caches,
                                     int threads);

int64_t gemm_tasks(const GemmShape& shape, const GemmConfig& config);
// Floats of scratch that one thread needs.
int64_t gemm_scratch(const GemmShape& shape, const GemmConfig& config);

// C = A * B with epilogue, for tasks [task_begin, task_end). packed_b: pack_b with nr = config.nv * tiles.lanes.
void gemm_run(const BrgemmTiles& tiles, const GemmShape& shape, const GemmConfig& config, const float* a, int64_t lda,
              const float* packed_b, float* c, int64_t ldc, const GemmEpilogue& epilogue, float* scratch,
              int64_t task_begin, int64_t task_end);

// outer * inner products of one shape; operands of product (o, i) lie at o * stride[0] + i * stride[1], so heads inside
// a token and shared (stride 0) operands need no copy. B is [k, n] or, transposed, [n, k] with row stride ldb.
struct BatchedGemm {
  GemmShape shape;
  int64_t outer = 1, inner = 1;
  int64_t lda = 0, ldb = 0, ldc = 0;
  int64_t a_stride[2] = {}, b_stride[2] = {}, c_stride[2] = {};
  bool a_transposed = false;  // A is [k, m] with row stride lda
  bool b_transposed = false;
  float scale = 1.f;  // on the product
};

std::vector<GemmConfig> batched_gemm_configs(const BatchedGemm& gemm, const BrgemmTiles& tiles,
                                             const CacheSizes& caches, int threads);
int64_t batched_gemm_tasks(const BatchedGemm& gemm, const GemmConfig& config);
int64_t batched_gemm_scratch(const BatchedGemm& gemm, const GemmConfig& config, int lanes);

// epilogue.residual is not supported here (null); HotTile::image counts o * inner + i.
void batched_gemm_run(const BrgemmTiles& tiles, const BatchedGemm& gemm, const GemmConfig& config, const float* a,
                      const float* b, float* c, const GemmEpilogue& epilogue, float* scratch, int64_t task_begin,
                      int64_t task_end);

}  // namespace narae::cpu
