// SPDX-License-Identifier: Apache-2.0
// 64 rows of queries against all their keys on the matrix units, as FlashAttention-2 does it
// (https://arxiv.org/abs/2307.08691): four warps of 16 rows, keys and values in blocks of 64 tokens that are copied to
// shared memory while the block before is worked on. Whose rows and tokens those are is the Problem's matter:
//   int begin() const, end() const;                   tokens [begin, end) that any row may see
//   int place(int token) const;                       begin <= token < end; what the next two take
//   const T *key(int place) const, *value(int) const; the token's D elements, 16-byte aligned
//   void query(int row, int d, float (&x)[2]) const;  elements d, d + 1 of the row; zeros for rows that are none
//   bool plain(int first, int last) const;            no score of tokens [first, last] changes
//   float score(float s, int row, int token) const;   s is scaled, in units of log 2; -inf: not seen
//   float scale() const;                              with log2(e)
//   void store(int row, int d, float x, float y) const;
// Scores are kept from going below -1e30, so that a row which sees nothing but masked tokens stays a number.
#pragma once

#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/reduce.cuh"

namespace narae::cuda {

inline constexpr int tile_rows = 64, tile_tokens = 64, tile_threads = 128, tile_stages = 2;
inline constexpr float log2_of_e = 1.4426950408889634f, lowest_score = -1e30f;

template <typename T, int D>
struct alignas(128) AttentionTile {
  T key[tile_stages][tile_tokens * D], value[tile_stages][tile_tokens * D];
  int place[tile_tokens];  // of the tokens that are fetched next
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

template <typename T, int D, typename Problem>
__device__ inline void fetch_tokens(const Problem& p, AttentionTile<T, D>& tile, int stage) {
  constexpr int chunks = D / 8;
#pragma unroll
  for (int i = 0; i < tile_tokens * chunks / tile_threads; ++i) {
    const int token = (i * tile_threads + static_cast<int>(threadIdx.x)) / chunks, chunk = threadIdx.x % chunks;
    const int place = tile.place[token];
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

// All threads of a block of tile_threads.
template <typename T, int D, typename Problem>
__device__ inline void attend_tile(const Problem& p, AttentionTile<T, D>& tile) {
  const int lane = threadIdx.x % 32, row0 = threadIdx.x / 32 * 16;
  TileWarp<T, D> warp;
  warp.begin(p, row0, lane);
  const int blocks = (p.end() - p.begin() + tile_tokens - 1) / tile_tokens;
  // Places are looked up one block before their tokens are fetched: tokens behind the last are the last again.
  const auto place_in = [&](int block) {
    const int token = p.begin() + block * tile_tokens + static_cast<int>(threadIdx.x);
    return threadIdx.x < tile_tokens && block < blocks ? p.place(min(token, p.end() - 1)) : 0;
  };
  if (threadIdx.x < tile_tokens) tile.place[threadIdx.x] = place_in(0);
  int next = place_in(1);
  __syncthreads();
  if (blocks > 0) fetch_tokens<T, D>(p, tile, 0);
  commit_copies();
  __syncthreads();
  if (threadIdx.x < tile_tokens) tile.place[threadIdx.x] = next;
  __syncthreads();
  for (int b = 0; b < blocks; ++b) {
    const int first = p.begin() + b * tile_tokens, stage = b % tile_stages;
    if (b + 1 < blocks) fetch_tokens<T, D>(p, tile, (b + 1) % tile_stages);
    commit_copies();
    next = place_in(b + 2);
    wait_copies<1>();
    __syncthreads();
    float s[tile_tokens / 8][4];
    warp.scores_of(tile.key[stage], s, lane);
    const bool plain = first + tile_tokens <= p.end() && p.plain(first, first + tile_tokens - 1);
#pragma unroll
    for (int n = 0; n < tile_tokens / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        s[n][i] *= p.scale();
        if (plain) continue;
        const int token = first + 8 * n + lane % 4 * 2 + i % 2;
        const float score = token < p.end() ? p.score(s[n][i], row0 + lane / 4 + i / 2 * 8, token) : -INFINITY;
        s[n][i] = token < p.end() && score > -INFINITY ? fmaxf(score, lowest_score) : score;
      }
    }
    warp.weigh(s);
    warp.mix(tile.value[stage], s, lane);
    if (threadIdx.x < tile_tokens) tile.place[threadIdx.x] = next;
    __syncthreads();
  }
  warp.finish(p, row0, lane);
}

}  // namespace narae::cuda
