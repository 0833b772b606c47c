// SPDX-License-Identifier: Apache-2.0
// A block of keys is packed once for all queries at hand; then a few rows at a time go through scores, softmax and the
// sum over values while their scores are in cache.
#include "kernels/cpu/dense_attention.h"

#include <algorithm>

#include "kernels/cpu/pack.h"

namespace narae::cpu {
namespace {

constexpr int64_t line_floats = 16;

struct Scratch {
  int64_t stride;  // between rows of scores: an odd number of cache lines, so that rows spread over all sets
  int64_t values, scores, softmax, end;  // offsets in floats; packed keys come first

  Scratch(const DenseAttention& a, const DenseAttentionConfig& c, const BrgemmTiles& tiles, int64_t rows) {
    const int64_t block = std::min(c.keys, a.keys);
    stride = (ceil_div(block, line_floats) | 1) * line_floats;
    values = round_up(packed_b_size(a.width, block, tiles.lanes), line_floats);
    scores = values + round_up(packed_b_size(block, a.value_width, tiles.lanes), line_floats);
    softmax = scores + std::min(c.rows, rows) * stride;
    end = softmax + 3 * rows;
  }
};

// C[rows, n] of `c` (+)= A * B for packed B, in tiles of the panel's width.
struct Product {
  const BrgemmTiles& tiles;
  int64_t n, k;
  int vectors;

  void run(const float* a, int64_t lda, const float* b, float* c, int64_t ldc, int64_t rows, bool accumulate,
           const GemmEpilogue& e, int64_t column) const {
    const int64_t nr = static_cast<int64_t>(vectors) * tiles.lanes;
    BrgemmArgs args;
    args.lda = lda, args.k = k, args.ldc = ldc, args.c_vec_stride = tiles.lanes, args.accumulate = accumulate;
    args.act = e.act, args.lo = e.lo, args.hi = e.hi;
    for (int64_t first = 0; first < n; first += nr) {
      const int64_t columns = std::min(nr, n - first);
      const int wide = static_cast<int>(ceil_div(columns, tiles.lanes));
      args.tail = static_cast<int>(columns % tiles.lanes);
      args.b = b + first * k;
      args.bias = e.bias ? e.bias + column + first : nullptr;
      const RowSplit split = split_rows(rows, tiles.max_rows[wide - 1]);
      int64_t row = 0;
      for (int64_t t = 0; t < split.tiles; ++t) {
        const int64_t height = split.base + (t < split.extra);
        args.a = a + row * lda, args.c = c + row * ldc + first;
        tiles.run(static_cast<int>(height), wide, args);
        row += height;
      }
    }
  }
};

void pack_keys(const AttentionKernels& kernels, const DenseAttention& a, int nr, int lanes, const float* k, int64_t n,
               float* out) {
  if (a.k_column != 1) {
    pack_b(k, a.k_column, false, a.width, n, nr, lanes, a.scale, 0, ceil_div(n, nr), out);
    return;
  }
  for (int64_t first = 0; first < n; first += nr) {
    const int64_t columns = std::min<int64_t>(nr, n - first), padded = round_up(columns, lanes);
    kernels.turn(k + first * a.k_row, a.k_row, columns, a.width, a.scale, out + first * a.width, padded, padded);
  }
}

void pack_values(const DenseAttention& a, int nr, int lanes, const float* v, int64_t n, float* out) {
  const bool turned = a.v_column != 1;
  pack_b(v, turned ? a.v_column : a.v_row, turned, n, a.value_width, nr, lanes, 1.f, 0, ceil_div(a.value_width, nr),
         out);
}

}  // namespace

std::vector<DenseAttentionConfig> dense_attention_configs(const DenseAttention& a, const BrgemmTiles& tiles,
                                                          const CacheSizes& caches) {
  BatchedGemm scores, mix;
  scores.shape = {a.queries, a.keys, a.width};
  mix.shape = {a.queries, a.value_width, a.keys};
  DenseAttentionConfig config;
  config.score_vectors = batched_gemm_configs(scores, tiles, caches, 1).front().nv;
  config.mix_vectors = batched_gemm_configs(mix, tiles, caches, 1).front().nv;
  // Packed keys and values take half of the second-level cache; scores of a block of rows at most a quarter.
  const int64_t unit = static_cast<int64_t>(config.score_vectors) * tiles.lanes;
  const int64_t fit =
      caches.l2 / 2 / static_cast<int64_t>(sizeof(float)) / std::max<int64_t>(1, a.width + a.value_width);
  config.keys = std::max(unit, std::min<int64_t>(512, fit) / unit * unit);
  const int64_t height = tiles.max_rows[config.score_vectors - 1];
  const int64_t most = caches.l2 / 4 / static_cast<int64_t>(sizeof(float)) / config.keys;
  config.rows = std::max(height, std::min<int64_t>(64, most) / height * height);
  return {config};
}

int64_t dense_attention_scratch(const DenseAttention& a, const DenseAttentionConfig& config, const BrgemmTiles& tiles,
                                int64_t rows) {
  return Scratch(a, config, tiles, rows).end;
}

void dense_attention_run(const BrgemmTiles& tiles, const AttentionKernels& kernels, const DenseAttention& a,
                         const DenseAttentionConfig& config, const float* q, const float* k, const float* v, float* out,
                         const GemmEpilogue& epilogue, int64_t image, float* scratch, int64_t begin, int64_t end) {
  const Scratch place(a, config, tiles, end - begin);
  float *packed_keys = scratch, *packed_values = scratch + place.values, *block = scratch + place.scores;
  const int lanes = tiles.lanes, score_nr = config.score_vectors * lanes, mix_nr = config.mix_vectors * lanes;
  for (int64_t key = 0; key < a.keys; key += config.keys) {
    const int64_t n = std::min(config.keys, a.keys - key);
    const bool first = key == 0, last = key + n == a.keys;
    pack_keys(kernels, a, score_nr, lanes, k + key * a.k_row, n, packed_keys);
    pack_values(a, mix_nr, lanes, v + key * a.v_row, n, packed_values);
    const Product scores{tiles, n, a.width, config.score_vectors}, mix{tiles, a.value_width, n, config.mix_vectors};
    for (int64_t row = begin; row < end; row += config.rows) {
      const int64_t rows = std::min(config.rows, end - row);
      float *softmax = scratch + place.softmax + 3 * (row - begin), *to = out + row * a.out_row;
      const RunningSoftmax running{softmax, softmax + rows, softmax + 2 * rows};
      scores.run(q + row * a.q_row, a.q_row, packed_keys, block, place.stride, rows, false, epilogue, key);
      if (epilogue.after.run)
        epilogue.after.run(epilogue.after.context, {block, place.stride, rows, n, row, key, image});
      kernels.weigh(block, place.stride, rows, n, first, running);
      if (!first) kernels.scale_rows(to, a.out_row, rows, a.value_width, running.shrink, false);
      mix.run(block, place.stride, packed_values, to, a.out_row, rows, !first, {}, 0);
      if (last) kernels.scale_rows(to, a.out_row, rows, a.value_width, running.sum, true);
    }
  }
}

}  // namespace narae::cpu
