// SPDX-License-Identifier: Apache-2.0
// softmax(scale * q k^T + ..) v in f32 for one head at a time, without the scores ever leaving the cache: blocks of
// keys, a running softmax, products by the tiles of brgemm.h (Dao et al., "FlashAttention", 2022). Operands are read
// and results written by strides, so heads inside a token need no transpose.
#pragma once

#include "kernels/cpu/attention.h"
#include "kernels/cpu/gemm.h"

namespace narae::cpu {

struct DenseAttention {
  int64_t queries = 0, keys = 0, width = 0, value_width = 0;
  // Between rows (tokens) and between columns, in floats. One of a pair is 1; of q and out the columns lie side by
  // side.
  int64_t q_row = 0, k_row = 0, k_column = 1, v_row = 0, v_column = 1, out_row = 0;
  float scale = 1;
};

struct DenseAttentionConfig {
  int64_t rows = 0, keys = 0;              // of a block
  int score_vectors = 0, mix_vectors = 0;  // width of the tiles of either product
};

// The likeliest first; never empty.
std::vector<DenseAttentionConfig> dense_attention_configs(const DenseAttention& attention, const BrgemmTiles& tiles,
                                                          const CacheSizes& caches);
// Floats that one thread needs for up to `rows` queries at a time.
int64_t dense_attention_scratch(const DenseAttention& attention, const DenseAttentionConfig& config,
                                const BrgemmTiles& tiles, int64_t rows);

// One head: its queries [begin, end). q, k, v, out point at the head's row 0. `epilogue` is that of the scores, without
// a residual; `image` is the HotTile's.
void dense_attention_run(const BrgemmTiles& tiles, const AttentionKernels& kernels, const DenseAttention& attention,
                         const DenseAttentionConfig& config, const float* q, const float* k, const float* v, float* out,
                         const GemmEpilogue& epilogue, int64_t image, float* scratch, int64_t begin, int64_t end);

}  // namespace narae::cpu
