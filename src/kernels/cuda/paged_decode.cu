// SPDX-License-Identifier: Apache-2.0
// A row's tokens are shared out over a cluster of blocks, whose partial results are joined through shared memory. How
// they are shared out depends on the row's own number of tokens only.
#include <cooperative_groups.h>

#include "kernels/cuda/early_launch.cuh"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/paged_launch.h"
#include "kernels/cuda/paged_rows.cuh"

namespace narae::cuda {
namespace {

constexpr int threads = 128, warps = threads / 32;
constexpr float log2_e = 1.4426950408889634f;

// Partial sums of one block: for each head the highest score (in units of log 2), the sum of weights and the weighted
// sum of values.
template <int Heads, int D>
struct Partial {
  float high[Heads], sum[Heads];
  float value[Heads][D];
};

// Joins the cluster's partials. All its threads must come.
template <int Heads, int D>
__device__ void join_cluster(const PagedAttentionArgs& a, Partial<Heads, D>& own, int row, int head0, int heads,
                             int width) {
  auto cluster = cooperative_groups::this_cluster();
  cluster.sync();
  const int rank = static_cast<int>(cluster.block_rank()), splits = static_cast<int>(gridDim.x);
  for (int i = rank * threads + static_cast<int>(threadIdx.x); i < heads * width; i += splits * threads) {
    const int head = i / width, d = i % width;
    float high = -INFINITY, sum = 0, value = 0;
    for (int r = 0; r < splits; ++r) high = fmaxf(high, cluster.map_shared_rank(&own, r)->high[head]);
    for (int r = 0; r < splits; ++r) {
      const Partial<Heads, D>* part = cluster.map_shared_rank(&own, r);
      const float weight = part->sum[head] > 0 ? exp2_fast(part->high[head] - high) : 0.f;
      sum += weight * part->sum[head];
      value += weight * part->value[head][d];
    }
    store_one(a.out, a.out_type, row * a.out_row + (head0 + head) * width + d, sum > 0 ? value / sum : 0.f);
  }
  cluster.sync();  // nobody leaves while its partial is read
}

__device__ void clear_row(const PagedAttentionArgs& a, int row, int head0, int heads) {
  const int width = static_cast<int>(a.width), rank = blockIdx.x, splits = static_cast<int>(gridDim.x);
  for (int i = rank * threads + static_cast<int>(threadIdx.x); i < heads * width; i += splits * threads) {
    store_one(a.out, a.out_type, row * a.out_row + head0 * width + i, 0.f);
  }
}

// This block's tokens [begin, end).
struct Share {
  int begin, end;
};
__device__ Share share_of(const RowSpan& span) {
  const int splits = static_cast<int>(gridDim.x), n = span.last - span.first + 1,
            each = ((n + splits - 1) / splits + 15) / 16 * 16;
  const int begin = span.first + static_cast<int>(blockIdx.x) * each;
  return {begin, min(span.last + 1, begin + each)};
}

// 16 tokens a warp at a time. Keys and values go from memory into the matrix units' fragments: the order of the
// dimensions inside a product is free, so a lane takes 16 bytes that lie together.
template <typename T, int D>
struct TokenBlock {
  uint4 k[2][D / 32];  // of tokens g and g + 8: dimensions 32 c + 8 q ..
  uint4 v[4][D / 64];  // of tokens 2q, 2q + 1, 2q + 8, 2q + 9: dimensions 64 h + 8 g ..

  // place: of token lane % 16.
  __device__ void load(const PagedAttentionArgs& a, int kv_head, int place, int lane) {
    const int g = lane / 4, q = lane % 4;
    const int64_t stride = a.kv_heads * D;
    const T* keys = static_cast<const T*>(a.k) + kv_head * D;
    const T* values = static_cast<const T*>(a.v) + kv_head * D;
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const T* from = keys + __shfl_sync(all_lanes, place, g + 8 * j) * stride + 8 * q;
#pragma unroll
      for (int c = 0; c < D / 32; ++c) k[j][c] = *reinterpret_cast<const uint4*>(from + 32 * c);
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const T* from = values + __shfl_sync(all_lanes, place, 2 * q + j % 2 + j / 2 * 8) * stride + 8 * g;
#pragma unroll
      for (int h = 0; h < D / 64; ++h) v[j][h] = *reinterpret_cast<const uint4*>(from + 64 * h);
    }
  }
};

__device__ inline uint32_t word_of(const uint4& v, int i) { return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w; }

// Heads: 8 or 16, of which `heads` are real.
template <typename T, int D, int Heads>
struct DecodeWarp {
  static constexpr int rows = Heads / 8;  // of heads a lane has: g and g + 8
  uint32_t q[D / 16][4];
  float high[2], sum[2];
  float value[D / 8][4];

  __device__ void begin(const PagedAttentionArgs& a, int row, int head0, int heads, int lane) {
    const int g = lane / 4, at = lane % 4 * 8;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      high[r] = -INFINITY, sum[r] = 0;
#pragma unroll
      for (int c = 0; c < D / 32; ++c) {
        float x[8] = {};
        if (r < rows && g + 8 * r < heads) {
          load_as(a.q, a.q_type, row * a.q_row + (head0 + g + 8 * r) * D + 32 * c + at, x);
        }
#pragma unroll
        for (int i = 0; i < 4; ++i) q[2 * c + i / 2][i % 2 * 2 + r] = packed<T>(x[2 * i], x[2 * i + 1]);
      }
    }
#pragma unroll
    for (auto& v : value) v[0] = v[1] = v[2] = v[3] = 0;
  }

  // The first `count` tokens of the block count.
  __device__ void add(const TokenBlock<T, D>& block, int count, float scale, int lane) {
    float s[2][4] = {};
#pragma unroll
    for (int j = 0; j < 2; ++j) {
#pragma unroll
      for (int c = 0; c < D / 32; ++c) {
        mma_16816<T>(s[j], q[2 * c], block.k[j][c].x, block.k[j][c].y);
        mma_16816<T>(s[j], q[2 * c + 1], block.k[j][c].z, block.k[j][c].w);
      }
    }
    uint32_t weights[4] = {};
#pragma unroll
    for (int r = 0; r < rows; ++r) {
      float top = high[r];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        float& score = s[i / 2][i % 2 + 2 * r];
        score = i / 2 * 8 + lane % 4 * 2 + i % 2 < count ? score * scale : -INFINITY;
        top = fmaxf(top, score);
      }
      top = fmaxf(top, __shfl_xor_sync(all_lanes, top, 1));
      top = fmaxf(top, __shfl_xor_sync(all_lanes, top, 2));
      const float shrink = exp2_fast(high[r] - top);  // count >= 1: top is a number
      high[r] = top, sum[r] *= shrink;
#pragma unroll
      for (auto& v : value) v[2 * r] *= shrink, v[2 * r + 1] *= shrink;
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        const float first = exp2_fast(s[j][2 * r] - top), second = exp2_fast(s[j][2 * r + 1] - top);
        sum[r] += first + second;
        weights[2 * j + r] = packed<T>(first, second);
      }
    }
#pragma unroll
    for (int d = 0; d < D / 8; ++d) {
      const int h = d / 8, i = d % 8;
      const uint32_t pick = i % 2 ? 0x7632 : 0x5410;
      mma_16816<T>(value[d], weights, __byte_perm(word_of(block.v[0][h], i / 2), word_of(block.v[1][h], i / 2), pick),
                   __byte_perm(word_of(block.v[2][h], i / 2), word_of(block.v[3][h], i / 2), pick));
    }
  }
};

template <typename T, int D, int Heads>
__device__ void join_warps(DecodeWarp<T, D, Heads>& own, Partial<Heads, D>* parts, int lane, int warp) {
  const int g = lane / 4, q = lane % 4;
  Partial<Heads, D>& part = parts[warp];
#pragma unroll
  for (int r = 0; r < Heads / 8; ++r) {
    float sum = own.sum[r];
    sum += __shfl_xor_sync(all_lanes, sum, 1);
    sum += __shfl_xor_sync(all_lanes, sum, 2);
    if (q == 0) part.high[g + 8 * r] = own.high[r], part.sum[g + 8 * r] = sum;
#pragma unroll
    for (int d = 0; d < D / 8; ++d) {
      const int at = d / 8 * 64 + q * 16 + d % 8;
      part.value[g + 8 * r][at] = own.value[d][2 * r];
      part.value[g + 8 * r][at + 8] = own.value[d][2 * r + 1];
    }
  }
  __syncthreads();
  // The warps' partials become the first one.
  for (int head = warp; head < Heads; head += warps) {
    float high = -INFINITY, sum = 0, weight[warps];
    for (int w = 0; w < warps; ++w) high = fmaxf(high, parts[w].high[head]);
#pragma unroll
    for (int w = 0; w < warps; ++w) {
      weight[w] = parts[w].sum[head] > 0 ? exp2_fast(parts[w].high[head] - high) : 0.f;
      sum += weight[w] * parts[w].sum[head];
    }
    for (int d = lane; d < D; d += 32) {
      float value = 0;
#pragma unroll
      for (int w = 0; w < warps; ++w) value += weight[w] * parts[w].value[head][d];
      parts[0].value[head][d] = value;
    }
    __syncwarp();
    if (lane == 0) parts[0].high[head] = high, parts[0].sum[head] = sum;
  }
}

template <typename T, int D, int Heads>
__global__ void __launch_bounds__(threads) decode_mma(PagedAttentionArgs a, bool single_rows_only) {
  __shared__ RowSpan shared_span;
  __shared__ Partial<Heads, D> parts[warps];
  let_successor_begin();
  const int group = static_cast<int>(a.heads / a.kv_heads), chunks = (group + Heads - 1) / Heads;
  const int row = blockIdx.z, kv_head = blockIdx.y / chunks, first = blockIdx.y % chunks * Heads;
  const int head0 = kv_head * group + first, heads = min(Heads, group - first);
  const RowSpan span = find_row(a, row, &shared_span);
  if (single_rows_only && span.sequence >= 0 && span.count > 1) return;
  if (span.sequence < 0) return clear_row(a, row, head0, heads);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const Share share = share_of(span);
  DecodeWarp<T, D, Heads> own;
  // Tokens behind the last weigh nothing, but what they bring must be numbers: the last one again.
  const auto place_at = [&](int t) {
    return share.begin < share.end ? place_of(a, span.sequence, min(t, share.end - 1)) : 0;
  };
  int place = place_at(share.begin + warp * 16 + lane % 16);
  own.begin(a, row, head0, heads, lane);
  for (int t = share.begin + warp * 16; t < share.end; t += warps * 16) {
    TokenBlock<T, D> block;
    block.load(a, kv_head, place, lane);
    place = place_at(t + warps * 16 + lane % 16);
    own.add(block, share.end - t, a.scale * log2_e, lane);
  }
  join_warps(own, parts, lane, warp);
  join_cluster(a, parts[0], row, head0, heads, D);
}

// Any width up to D and any type of keys: a warp a token for the scores, a thread a dimension for the values.
constexpr int any_heads = 8, any_tokens = 64;
template <typename T, int D>
__global__ void __launch_bounds__(threads) decode_any(PagedAttentionArgs a) {
  __shared__ RowSpan shared_span;
  __shared__ Partial<any_heads, D> part;
  __shared__ float q[any_heads][D], scores[any_heads][any_tokens], shrinks[any_heads];
  __shared__ int places[any_tokens];
  const int group = static_cast<int>(a.heads / a.kv_heads), chunks = (group + any_heads - 1) / any_heads;
  const int row = blockIdx.z, kv_head = blockIdx.y / chunks, first = blockIdx.y % chunks * any_heads;
  const int head0 = kv_head * group + first, heads = min(any_heads, group - first), width = static_cast<int>(a.width);
  const RowSpan span = find_row(a, row, &shared_span);
  if (span.sequence < 0) return clear_row(a, row, head0, heads);
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, thread = threadIdx.x;
  const Share share = share_of(span);
  const T* keys = static_cast<const T*>(a.k) + kv_head * a.width;
  const T* values = static_cast<const T*>(a.v) + kv_head * a.width;
  for (int i = thread; i < any_heads * width; i += threads) {
    const int head = i / width;
    q[head][i % width] =
        head < heads ? load_one(a.q, a.q_type, row * a.q_row + (head0 + head) * width + i % width) * a.scale * log2_e
                     : 0.f;
  }
  if (thread < any_heads) part.high[thread] = -INFINITY, part.sum[thread] = 0;
  float value[(D + threads - 1) / threads][any_heads] = {};
  for (int t0 = share.begin; t0 < share.end; t0 += any_tokens) {
    const int count = min(any_tokens, share.end - t0);
    __syncthreads();
    for (int t = thread; t < count; t += threads) places[t] = place_of(a, span.sequence, t0 + t);
    __syncthreads();
    for (int t = warp; t < count; t += warps) {
      const T* key = keys + places[t] * a.kv_heads * a.width;
      float dot[any_heads] = {};
      for (int d = lane; d < width; d += 32) {
        const float x = to_float(key[d]);
#pragma unroll
        for (int h = 0; h < any_heads; ++h) dot[h] = fmaf(x, q[h][d], dot[h]);
      }
#pragma unroll
      for (int h = 0; h < any_heads; ++h) dot[h] = warp_reduce<Sum>(dot[h]);
      if (lane == 0) {
#pragma unroll
        for (int h = 0; h < any_heads; ++h) scores[h][t] = dot[h];
      }
    }
    __syncthreads();
    for (int h = warp; h < heads; h += warps) {
      float top = part.high[h], sum = 0;
      const float before = top;
      for (int t = lane; t < count; t += 32) top = fmaxf(top, scores[h][t]);
      top = warp_reduce<Max>(top);
      for (int t = lane; t < count; t += 32) sum += scores[h][t] = exp2f(scores[h][t] - top);
      sum = warp_reduce<Sum>(sum);
      __syncwarp();
      if (lane == 0) {
        shrinks[h] = exp2f(before - top);
        part.high[h] = top, part.sum[h] = part.sum[h] * shrinks[h] + sum;
      }
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < (D + threads - 1) / threads; ++k) {
      const int d = k * threads + thread;
      if (d >= width) continue;
#pragma unroll
      for (int h = 0; h < any_heads; ++h) value[k][h] *= h < heads ? shrinks[h] : 0.f;
      for (int t = 0; t < count; ++t) {
        const float x = to_float(values[places[t] * a.kv_heads * a.width + d]);
#pragma unroll
        for (int h = 0; h < any_heads; ++h) value[k][h] = fmaf(h < heads ? scores[h][t] : 0.f, x, value[k][h]);
      }
    }
  }
#pragma unroll
  for (int k = 0; k < (D + threads - 1) / threads; ++k) {
    const int d = k * threads + thread;
#pragma unroll
    for (int h = 0; h < any_heads; ++h) {
      if (d < width) part.value[h][d] = value[k][h];
    }
  }
  join_cluster(a, part, row, head0, heads, width);
}

// Few rows are cut fine, so that they fill the device; many are not, since each part begins with its own look-ups.
unsigned splits_of(const PagedAttentionArgs& a, int64_t blocks) {
  return a.splits > 0 ? static_cast<unsigned>(a.splits) : blocks <= 32 ? 8 : blocks <= 64 ? 4 : blocks <= 256 ? 2 : 1;
}

// A cluster for each row and part of the heads of a key head.
template <typename Kernel, typename... Args>
cudaError_t launch_clusters(Kernel kernel, const PagedAttentionArgs& a, int64_t heads, cudaStream_t stream,
                            Args... args) {
  const int64_t parts = a.kv_heads * blocks_of(a.heads / a.kv_heads, heads);
  const unsigned splits = splits_of(a, parts * a.rows);
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim.x = splits, cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(splits, grid_of(parts), grid_of(a.rows)), config.blockDim = dim3(threads);
  config.stream = stream, config.attrs = &cluster, config.numAttrs = 1;
  return cudaLaunchKernelEx(&config, kernel, a, args...);
}

template <typename T, int D>
cudaError_t launch_mma(const PagedAttentionArgs& a, bool single_rows_only, cudaStream_t stream) {
  if (a.heads / a.kv_heads <= 8) return launch_clusters(decode_mma<T, D, 8>, a, 8, stream, single_rows_only);
  return launch_clusters(decode_mma<T, D, 16>, a, 16, stream, single_rows_only);
}

}  // namespace

cudaError_t launch_paged_decode(const PagedAttentionArgs& a, bool single_rows_only, cudaStream_t stream) {
  if (a.width == 64 && a.kv_type == DType::bf16) return launch_mma<Bf16, 64>(a, single_rows_only, stream);
  if (a.width == 64) return launch_mma<__half, 64>(a, single_rows_only, stream);
  if (a.kv_type == DType::bf16) return launch_mma<Bf16, 128>(a, single_rows_only, stream);
  return launch_mma<__half, 128>(a, single_rows_only, stream);
}

cudaError_t launch_paged_any(const PagedAttentionArgs& a, cudaStream_t stream) {
  cudaError_t result = cudaErrorInvalidValue;
  visit_real(a.kv_type, [&](auto tag) {
    using T = decltype(tag);
    if (a.width <= 128) {
      result = launch_clusters(decode_any<T, 128>, a, any_heads, stream);
    } else if (a.width <= 256) {
      result = launch_clusters(decode_any<T, 256>, a, any_heads, stream);
    } else {
      result = launch_clusters(decode_any<T, 512>, a, any_heads, stream);
    }
  });
  return result;
}

}  // namespace narae::cuda
