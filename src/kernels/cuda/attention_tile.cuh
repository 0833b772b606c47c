// SPDX-License-Identifier: Apache-2.0
// 64 or 128 rows of queries against all their keys on the matrix units, as FlashAttention-2 does it
// (https://arxiv.org/abs/2307.08691): warps of 16 rows, keys and values in blocks of 64 tokens that are copied to
// shared memory two blocks ahead. More rows read the keys less often; fewer fill the device where there are few of
// them. Whose rows and tokens those are is the Problem's matter:
//   int begin() const, end() const;                   tokens [begin, end) that any row may see
//   int place(int token) const;                       begin <= token < end; what the next two take
//   const T *key(int place) const, *value(int) const; the token's D elements, 16-byte aligned
//   void query(int row, int d, float (&x)[2]) const;  elements d, d + 1 of the row; zeros for rows that are none
//   bool plain(int first, int last) const;            no score of tokens [first, last] changes
//   float shift(int token) const;                     added to the scaled scores of a token, in units of log 2
//   float score(float s, int row, int token) const;   s is scaled and shifted; -inf: not seen
//   float scale() const;                              with log2(e)
//   void store(int row, int d, float x, float y) const;
// Shifts are kept from going below -1e30, so that a row which sees nothing but masked tokens stays a number.
#pragma once

#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/reduce.cuh"

namespace narae::cuda {

inline constexpr int tile_tokens = 64, tile_stages = 3;
inline constexpr float log2_of_e = 1.4426950408889634f, lowest_score = -1e30f;

// Blocks of so many rows that share a multiprocessor: what their registers allow.
__host__ __device__ constexpr int blocks_at_once(int width, int rows) {
  return rows == 128 ? (width == 64 ? 2 : 1) : width == 64 ? 3 : 2;
}

template <typename T, int D>
struct alignas(128) AttentionTile {
  T key[tile_stages][tile_tokens * D], value[tile_stages][tile_tokens * D];
  int place[2][tile_tokens];  // of the tokens that are fetched next, and after that
  float shift[4][tile_tokens];
};

// Where chunk `chunk` (16 bytes) of a token lies. Keys are read by lanes (g, q) at chunks 4 c + q, values by ldmatrix.
template <int D>
__device__ inline int key_place(int token, int chunk) {
  return token * D + ((chunk ^ ((token & 1) << 2)) & (D / 8 - 1)) * 8;
}
template <int D>
__device__ inline int value_place(int token, int chunk) {
  return token * D + ((chunk ^ (token & 7)) & (D / 8 - 1)) * 8;
}

template <typename T, int D, int Threads, typename Problem>
__device__ inline void fetch_tokens(const Problem& p, AttentionTile<T, D>& tile, int block) {
  constexpr int chunks = D / 8;
  const int stage = block % tile_stages;
#pragma unroll
  for (int i = 0; i < tile_tokens * chunks / Threads; ++i) {
    const int token = (i * Threads + static_cast<int>(threadIdx.x)) / chunks, chunk = threadIdx.x % chunks;
    const int place = tile.place[block % 2][token];
    copy_async(&tile.key[stage][key_place<D>(token, chunk)], p.key(place) + chunk * 8);
    copy_async(&tile.value[stage][value_place<D>(token, chunk)], p.value(place) + chunk * 8);
  }
}

// One warp's 16 rows.
template <typename T, int D>
struct TileWarp {
  uint32_t q[D / 16][4];
  float high[2], sum[2];
  float value[D / 8][4];

  // Keys lie in shared memory as in memory, and a lane reads 8 elements of a token at once: so do the queries.
  template <typename Problem>
  __device__ void begin(const Problem& p, int row0, int lane) {
    const int g = lane / 4, at = lane % 4 * 8;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      high[r] = -INFINITY, sum[r] = 0;
#pragma unroll
      for (int c = 0; c < D / 32; ++c) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          float x[2];
          p.query(row0 + g + 8 * r, 32 * c + at + 2 * i, x);
          q[2 * c + i / 2][i % 2 * 2 + r] = packed<T>(x[0], x[1]);
        }
      }
    }
#pragma unroll
    for (auto& v : value) v[0] = v[1] = v[2] = v[3] = 0;
  }

  __device__ void scores_of(const T* keys, float (&s)[tile_tokens / 8][4], int lane) const {
    const int g = lane / 4, quad = lane % 4;
#pragma unroll
    for (auto& v : s) v[0] = v[1] = v[2] = v[3] = 0;
#pragma unroll
    for (int c = 0; c < D / 32; ++c) {
#pragma unroll
      for (int n = 0; n < tile_tokens / 8; ++n) {
        const uint4 k = *reinterpret_cast<const uint4*>(keys + key_place<D>(8 * n + g, 4 * c + quad));
        mma_16816<T>(s[n], q[2 * c], k.x, k.y);
        mma_16816<T>(s[n], q[2 * c + 1], k.z, k.w);
      }
    }
  }

  // s becomes the weights.
  __device__ void weigh(float (&s)[tile_tokens / 8][4]) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float top = high[r];
#pragma unroll
      for (auto& v : s) top = fmaxf(top, fmaxf(v[2 * r], v[2 * r + 1]));
      top = fmaxf(top, __shfl_xor_sync(all_lanes, top, 1));
      top = fmaxf(top, __shfl_xor_sync(all_lanes, top, 2));
      const float base = top == -INFINITY ? 0.f : top, shrink = exp2_fast(high[r] - base);
      high[r] = top, sum[r] *= shrink;
#pragma unroll
      for (auto& v : value) v[2 * r] *= shrink, v[2 * r + 1] *= shrink;
#pragma unroll
      for (auto& v : s) {
        v[2 * r] = exp2_fast(v[2 * r] - base), v[2 * r + 1] = exp2_fast(v[2 * r + 1] - base);
        sum[r] += v[2 * r] + v[2 * r + 1];
      }
    }
  }

  __device__ void mix(const T* values, const float (&s)[tile_tokens / 8][4], int lane) {
#pragma unroll
    for (int k = 0; k < tile_tokens / 16; ++k) {
      const uint32_t weights[4] = {packed<T>(s[2 * k][0], s[2 * k][1]), packed<T>(s[2 * k][2], s[2 * k][3]),
                                   packed<T>(s[2 * k + 1][0], s[2 * k + 1][1]),
                                   packed<T>(s[2 * k + 1][2], s[2 * k + 1][3])};
#pragma unroll
      for (int d = 0; d < D / 16; ++d) {
        uint32_t v[4];
        load_transposed(v, values + value_place<D>(16 * k + lane % 16, 2 * d + lane / 16));
        mma_16816<T>(value[2 * d], weights, v[0], v[1]);
        mma_16816<T>(value[2 * d + 1], weights, v[2], v[3]);
      }
    }
  }

  template <typename Problem>
  __device__ void finish(const Problem& p, int row0, int lane) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      sum[r] += __shfl_xor_sync(all_lanes, sum[r], 1);
      sum[r] += __shfl_xor_sync(all_lanes, sum[r], 2);
      const float factor = sum[r] > 0 ? 1.f / sum[r] : 0.f;
#pragma unroll
      for (int d = 0; d < D / 8; ++d) {
        p.store(row0 + lane / 4 + 8 * r, 8 * d + lane % 4 * 2, value[d][2 * r] * factor, value[d][2 * r + 1] * factor);
      }
    }
  }
};

// The scores of a block of tokens: scaled, shifted, hidden.
template <typename T, int D, typename Problem>
__device__ inline void finish_scores(const Problem& p, const float* shifts, float (&s)[tile_tokens / 8][4], int first,
                                     int row0, int lane) {
  const bool plain = first + tile_tokens <= p.end() && p.plain(first, first + tile_tokens - 1);
  if (plain) {
#pragma unroll
    for (auto& v : s) v[0] *= p.scale(), v[1] *= p.scale(), v[2] *= p.scale(), v[3] *= p.scale();
    return;
  }
#pragma unroll
  for (int n = 0; n < tile_tokens / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int at = 8 * n + lane % 4 * 2 + i % 2, token = first + at;
      const bool inside = token < p.end();
      const float score =
          inside ? p.score(fmaf(s[n][i], p.scale(), shifts[at]), row0 + lane / 4 + i / 2 * 8, token) : -INFINITY;
      s[n][i] = score;
    }
  }
}

// All threads of a block of 2 * Rows, where Rows is 64 or 128.
template <typename T, int D, int Rows, typename Problem>
__device__ inline void attend_tile(const Problem& p, AttentionTile<T, D>& tile) {
  constexpr int threads = Rows * 2;
  const int lane = threadIdx.x % 32, row0 = threadIdx.x / 32 * 16, thread = threadIdx.x;
  const int blocks = (p.end() - p.begin() + tile_tokens - 1) / tile_tokens;
  // Places are looked up ahead of the copies: tokens behind the last are the last again.
  int place = 0;
  float shift = 0;
  const auto look_up = [&](int block) {
    if (thread >= tile_tokens || block >= blocks) return;
    const int token = min(p.begin() + block * tile_tokens + thread, p.end() - 1);
    place = p.place(token), shift = p.shift(token);
  };
  const auto note = [&](int block) {
    if (thread < tile_tokens) tile.place[block % 2][thread] = place, tile.shift[block % 4][thread] = shift;
  };
  look_up(0), note(0);
  look_up(1), note(1);
  TileWarp<T, D> warp;
  warp.begin(p, row0, lane);
  __syncthreads();
  if (blocks > 0) fetch_tokens<T, D, threads>(p, tile, 0);
  commit_copies();
  if (blocks > 1) fetch_tokens<T, D, threads>(p, tile, 1);
  commit_copies();
  __syncthreads();
  look_up(2), note(2);
  look_up(3);
  for (int b = 0; b < blocks; ++b) {
    const int stage = b % tile_stages;
    wait_copies<1>();
    __syncthreads();  // block b has come, b - 1 is done with, the places of b + 2 are noted
    if (b + 2 < blocks) fetch_tokens<T, D, threads>(p, tile, b + 2);
    commit_copies();
    float s[tile_tokens / 8][4];
    warp.scores_of(tile.key[stage], s, lane);
    finish_scores<T, D>(p, tile.shift[b % 4], s, p.begin() + b * tile_tokens, row0, lane);
    warp.weigh(s);
    warp.mix(tile.value[stage], s, lane);
    if (b + 3 < blocks) {
      note(b + 3);  // nobody reads these places and shifts before the next barrier
      look_up(b + 4);
    }
  }
  warp.finish(p, row0, lane);
}

}  // namespace narae::cuda
