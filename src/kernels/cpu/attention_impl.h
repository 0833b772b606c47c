// SPDX-License-Identifier: Apache-2.0
// Attention over pages, written once. Tokens go in blocks of one vector: the keys of a block are turned so that lanes
// are tokens, scores are kept for the whole row, then values are summed in the order of tokens.
#pragma once

#include "kernels/cpu/attention.h"
#include "kernels/cpu/vec_rows.h"
#include "kernels/cpu/vec_unroll.h"

namespace narae::cpu {
namespace {

constexpr int max_queries = 32;  // of a block: rows x query heads of a key head, more are taken in turns

NARAE_INLINE int64_t up(int64_t n) { return (n + W - 1) / W * W; }

struct AttentionScratch {
  int64_t padded, capacity;  // head width and tokens, rounded up to vectors
  float *turned, *rows, *mixed, *scores;

  AttentionScratch(const AttentionArgs& a, void* memory)
      : padded(up(a.width)), capacity(up(a.pages * a.page_size)), turned(static_cast<float*>(memory)) {
    rows = turned + padded * W;
    mixed = rows + padded * W;
    scores = mixed + padded * max_queries;
  }
  static size_t bytes(const AttentionArgs& a) {
    return static_cast<size_t>(up(a.width) * (2 * W + max_queries) + max_queries * up(a.pages * a.page_size)) *
           sizeof(float);
  }
};

NARAE_INLINE float narrow_to_float(uint16_t bits, KvType type) {
  uint16_t in[W] = {bits};
  float out[W];
  store(out, type == KvType::f16 ? load_f16(in) : load_bf16(in));
  return out[0];
}

// One row of keys or values as f32 with zeros up to whole vectors.
NARAE_INLINE void widen_row(const void* from, KvType type, int64_t width, int64_t padded, float* to) {
  int64_t i = 0;
  if (type == KvType::f32) {
    const auto* p = static_cast<const float*>(from);
    for (; i + W <= width; i += W) store(to + i, load(p + i));
    if (i < width) store(to + i, load(p + i, width - i));
    return;
  }
  const auto* p = static_cast<const uint16_t*>(from);
  for (; i + W <= width; i += W) store(to + i, type == KvType::f16 ? load_f16(p + i) : load_bf16(p + i));
  for (; i < width; i++) to[i] = narrow_to_float(p[i], type);
  for (; i < padded; i++) to[i] = 0;
}

// Where the rows of a sequence's tokens lie, one after the other.
struct TokenWalk {
  const int32_t* table;
  const char* state;
  int64_t page_size, at, row_bytes;

  TokenWalk(const AttentionArgs& a, const void* states, int64_t sequence, int64_t kv_head, int64_t first)
      : table(a.tables + sequence * a.pages + first / a.page_size), page_size(a.page_size), at(first % a.page_size) {
    const int64_t size = a.width * (a.type == KvType::f32 ? 4 : 2);
    row_bytes = a.kv_heads * size;
    state = static_cast<const char*>(states) + kv_head * size;
  }
  const char* row() const { return state + (*table * page_size + at) * row_bytes; }
  void step() {
    if (++at == page_size) at = 0, ++table;
  }
};

// Pointers to the rows of `count` tokens from `first` on; beyond `count` the last row again.
NARAE_INLINE void token_rows(const AttentionArgs& a, const void* state, int64_t sequence, int64_t kv_head,
                             int64_t first, int64_t count, const AttentionScratch& s, const float** rows) {
  TokenWalk walk(a, state, sequence, kv_head, first);
  for (int64_t j = 0; j < W; j++) {
    if (j > 0 && j < count) walk.step();
    if (a.type == KvType::f32 && s.padded == a.width) {
      rows[j] = reinterpret_cast<const float*>(walk.row());
    } else {
      widen_row(walk.row(), a.type, a.width, s.padded, s.rows + j * s.padded);
      rows[j] = s.rows + j * s.padded;
    }
  }
}

// Asks for the rows of the block after this one: short rows far apart are no stream that hardware would foresee.
NARAE_INLINE void fetch_ahead(const AttentionArgs& a, const void* state, int64_t sequence, int64_t kv_head,
                              int64_t first, int64_t end) {
  if (first >= end) return;
  const int64_t bytes = a.width * (a.type == KvType::f32 ? 4 : 2), count = end - first < W ? end - first : W;
  TokenWalk walk(a, state, sequence, kv_head, first);
  for (int64_t j = 0; j < count; j++, walk.step()) {
    const char* row = walk.row();
    for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(row + i);
  }
}

NARAE_INLINE void turn(const float* const* rows, int64_t padded, float* turned) {
  for (int64_t d = 0; d < padded; d += W) {
    Vf r[W];
    for (int64_t j = 0; j < W; j++) r[j] = load(rows[j] + d);
    transpose_square(r);
    for (int64_t j = 0; j < W; j++) store(turned + (d + j) * W, r[j]);
  }
}

// Scores of Q queries on one block of tokens.
template <int Q>
NARAE_INLINE void score(const float* const* q, const float* turned, int64_t width, Vf scale, float* scores,
                        int64_t stride) {
  Vf sum[Q];
  unroll<Q>([&](auto i) NARAE_UNROLLED { sum[i] = zero(); });
  for (int64_t d = 0; d < width; d++) {
    const Vf k = load(turned + d * W);
    unroll<Q>([&](auto i) NARAE_UNROLLED { sum[i] = fma(splat(q[i][d]), k, sum[i]); });
  }
  unroll<Q>([&](auto i) NARAE_UNROLLED { store(scores + i * stride, sum[i] * scale); });
}

// mixed[q][d ..] += p[q][j] * rows[j][d ..] for Q queries and D vectors.
template <int Q, int D>
NARAE_INLINE void mix(const float* p, int64_t stride, const float* const* rows, int64_t d, int64_t count, float* mixed,
                      int64_t padded) {
  Vf sum[Q][D];
  unroll<Q>([&](auto i) NARAE_UNROLLED {
    unroll<D>([&](auto v) NARAE_UNROLLED { sum[i][v] = load(mixed + i * padded + d + v * W); });
  });
  for (int64_t j = 0; j < count; j++) {
    Vf row[D];
    unroll<D>([&](auto v) NARAE_UNROLLED { row[v] = load(rows[j] + d + v * W); });
    unroll<Q>([&](auto i) NARAE_UNROLLED {
      const Vf weight = splat(p[i * stride + j]);
      unroll<D>([&](auto v) NARAE_UNROLLED { sum[i][v] = fma(weight, row[v], sum[i][v]); });
    });
  }
  unroll<Q>([&](auto i) NARAE_UNROLLED {
    unroll<D>([&](auto v) NARAE_UNROLLED { store(mixed + i * padded + d + v * W, sum[i][v]); });
  });
}

template <int Q>
NARAE_INLINE void mix_all(const float* p, int64_t stride, const float* const* rows, int64_t count, float* mixed,
                          int64_t padded) {
  int64_t d = 0;
  for (; d + 4 * W <= padded; d += 4 * W) mix<Q, 4>(p, stride, rows, d, count, mixed, padded);
  for (; d < padded; d += W) mix<Q, 1>(p, stride, rows, d, count, mixed, padded);
}

struct Queries {
  int count = 0;
  const float* q[max_queries];
  float* out[max_queries];
  int64_t first[max_queries], last[max_queries];  // visible tokens
};

// exp(x - high) / sum over the visible tokens, zero elsewhere in [0, end).
NARAE_INLINE void weigh(float* scores, int64_t first, int64_t last, int64_t begin, int64_t end) {
  for (int64_t t = begin; t < first; t++) scores[t] = 0;
  for (int64_t t = last + 1; t < end; t++) scores[t] = 0;
  const int64_t n = last + 1 - first;
  const float high = row_max(scores + first, n);
  const Vf h = splat(high);
  Vf sum = zero();
  for_vectors<1>(
      n,
      [&](int64_t i) {
        const Vf e = exp(load(scores + first + i) - h);
        store(scores + first + i, e);
        sum = sum + e;
      },
      [&](int64_t i, int64_t rest) {
        float kept[W];
        store(kept, zero());
        store(kept, exp(load(scores + first + i, rest) - h), rest);
        store(scores + first + i, load(kept), rest);
        sum = sum + load(kept);
      });
  const Vf scale = splat(1.0f / reduce_add(sum));
  for_vectors<1>(
      n, [&](int64_t i) { store(scores + first + i, load(scores + first + i) * scale); },
      [&](int64_t i, int64_t rest) { store(scores + first + i, load(scores + first + i, rest) * scale, rest); });
}

void attend(const AttentionArgs& a, const AttentionScratch& s, int64_t sequence, int64_t kv_head, const Queries& list) {
  int64_t begin = list.first[0], end = 0;
  for (int i = 0; i < list.count; i++) {
    begin = list.first[i] < begin ? list.first[i] : begin;
    end = list.last[i] + 1 > end ? list.last[i] + 1 : end;
  }
  begin = begin / W * W;  // blocks lie at absolute positions
  const Vf scale = splat(a.scale);
  const float* rows[W];
  for (int64_t t = begin; t < end; t += W) {
    token_rows(a, a.k, sequence, kv_head, t, end - t < W ? end - t : W, s, rows);
    fetch_ahead(a, a.k, sequence, kv_head, t + W, end);
    turn(rows, s.padded, s.turned);
    int i = 0;
    for (; i + 4 <= list.count; i += 4)
      score<4>(list.q + i, s.turned, a.width, scale, s.scores + i * s.capacity + t, s.capacity);
    for (; i < list.count; i++)
      score<1>(list.q + i, s.turned, a.width, scale, s.scores + i * s.capacity + t, s.capacity);
  }
  fetch_ahead(a, a.v, sequence, kv_head, begin, end);
  for (int i = 0; i < list.count; i++) {
    weigh(s.scores + i * s.capacity, list.first[i], list.last[i], begin, end);
    for (int64_t d = 0; d < s.padded; d += W) store(s.mixed + i * s.padded + d, zero());
  }
  for (int64_t t = begin; t < end; t += W) {
    const int64_t count = end - t < W ? end - t : W;
    token_rows(a, a.v, sequence, kv_head, t, count, s, rows);
    fetch_ahead(a, a.v, sequence, kv_head, t + W, end);
    int i = 0;
    for (; i + 4 <= list.count; i += 4)
      mix_all<4>(s.scores + i * s.capacity + t, s.capacity, rows, count, s.mixed + i * s.padded, s.padded);
    for (; i < list.count; i++)
      mix_all<1>(s.scores + i * s.capacity + t, s.capacity, rows, count, s.mixed + i * s.padded, s.padded);
  }
  for (int i = 0; i < list.count; i++) {
    const float* from = s.mixed + i * s.padded;
    for_vectors<1>(
        a.width, [&](int64_t d) { store(list.out[i] + d, load(from + d)); },
        [&](int64_t d, int64_t rest) { store(list.out[i] + d, load(from + d), rest); });
  }
}

void run_attention(const AttentionArgs& a, const AttentionBlock* blocks, void* memory, int64_t begin, int64_t end) {
  const AttentionScratch scratch(a, memory);
  const int64_t group = a.heads / a.kv_heads;
  for (int64_t task = begin; task < end; task++) {
    const AttentionBlock& block = blocks[task / a.kv_heads];
    const int64_t kv_head = task % a.kv_heads;
    Queries list;
    for (int64_t r = 0; r < block.count; r++) {
      for (int64_t h = 0; h < group; h++) {
        const int64_t at = ((block.row + r) * a.heads + kv_head * group + h) * a.width;
        if (block.sequence < 0) {
          for (int64_t d = 0; d < a.width; d++) a.out[at + d] = 0;
          continue;
        }
        const int64_t last = block.last + r;
        list.q[list.count] = a.q + at, list.out[list.count] = a.out + at, list.last[list.count] = last;
        list.first[list.count] = a.window > 0 && last >= a.window ? last - a.window + 1 : 0;
        if (++list.count < max_queries) continue;
        attend(a, scratch, block.sequence, kv_head, list);
        list.count = 0;
      }
    }
    if (list.count) attend(a, scratch, block.sequence, kv_head, list);
  }
}

// exp(x - shift) over a row, and its sum.
NARAE_INLINE float exponentials(float* x, int64_t n, float shift) {
  const Vf s = splat(shift);
  Vf sum = zero();
  for_vectors<1>(
      n,
      [&](int64_t i) {
        const Vf e = exp(load(x + i) - s);
        store(x + i, e);
        sum = sum + e;
      },
      [&](int64_t i, int64_t rest) {
        float kept[W];
        store(kept, zero());
        store(kept, exp(load(x + i, rest) - s), rest);
        store(x + i, load(kept), rest);
        sum = sum + load(kept);
      });
  return reduce_add(sum);
}

void weigh_rows(float* scores, int64_t stride, int64_t rows, int64_t n, bool first, const RunningSoftmax& s) {
  constexpr float none = -__builtin_inff();
  for (int64_t r = 0; r < rows; r++) {
    float* row = scores + r * stride;
    const float before = first ? none : s.high[r], now = row_max(row, n);
    // A NaN stays, whichever it is. A row of -inf alone has no largest score to subtract yet.
    const float high = before != before || before > now ? before : now;
    const float shift = high == none ? 0.0f : high;
    const float sum = exponentials(row, n, shift);
    s.high[r] = high;
    if (first) {
      s.sum[r] = sum;
      continue;
    }
    s.shrink[r] = before - shift;
    exponentials(s.shrink + r, 1, 0);
    s.sum[r] = s.sum[r] * s.shrink[r] + sum;
  }
}

void scale_all_rows(float* x, int64_t stride, int64_t rows, int64_t n, const float* factors, bool divide) {
  for (int64_t r = 0; r < rows; r++, x += stride) {
    const Vf factor = splat(divide ? 1.0f / factors[r] : factors[r]);
    for_vectors<1>(
        n, [&](int64_t i) { store(x + i, load(x + i) * factor); },
        [&](int64_t i, int64_t rest) { store(x + i, load(x + i, rest) * factor, rest); });
  }
}

void turn_rows(const float* in, int64_t in_stride, int64_t rows, int64_t columns, float scale, float* out,
               int64_t out_stride, int64_t padded) {
  const Vf s = splat(scale);
  for (int64_t row = 0; row < padded; row += W) {
    const int64_t there = rows - row < W ? rows - row : W;
    for (int64_t c = 0; c < columns; c += W) {
      const int64_t width = columns - c < W ? columns - c : W;
      const float* from = in + row * in_stride + c;
      Vf r[W];
      if (there == W && width == W) {
        for (int64_t i = 0; i < W; i++) r[i] = load(from + i * in_stride) * s;
      } else {
        for (int64_t i = 0; i < W; i++) r[i] = i < there ? load(from + i * in_stride, width) * s : zero();
      }
      transpose_square(r);
      for (int64_t i = 0; i < width; i++) store(out + (c + i) * out_stride + row, r[i]);
    }
  }
}

constexpr AttentionKernels attention_here() {
  return {AttentionScratch::bytes, run_attention, weigh_rows, scale_all_rows, turn_rows};
}

}  // namespace
}  // namespace narae::cpu
