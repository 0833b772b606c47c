// SPDX-License-Identifier: Apache-2.0
// Sequences with several rows in a step: tiles of rows and of the heads that share keys. A block finds out by itself
// which sequence's tile it is; there are at most rows / (rows of a tile) + sequences of them.
#include "kernels/cuda/attention_tile.cuh"
#include "kernels/cuda/paged_launch.h"
#include "kernels/cuda/paged_rows.cuh"

namespace narae::cuda {
namespace {

// Row m of the tile is step row row0 + m / group, head head0 + m % group.
template <typename T, int D>
struct PromptTile {
  PagedAttentionArgs a;
  int sequence, row0, rows;  // rows of the step that the tile has
  int group, head0;
  int last0;  // position of the first row
  int from, to;
  const T *keys, *values;  // of the head

  __device__ int begin() const { return from; }
  __device__ int end() const { return to; }
  __device__ int place(int token) const { return place_of(a, sequence, token); }
  __device__ const T* key(int place) const { return keys + place * (a.kv_heads * D); }
  __device__ const T* value(int place) const { return values + place * (a.kv_heads * D); }
  __device__ bool inside(int m) const { return m < rows * group; }
  __device__ int64_t head_of(int m) const { return head0 + m % group; }
  __device__ void query(int m, int d, float (&x)[2]) const {
    x[0] = x[1] = 0;
    if (inside(m)) load_as(a.q, a.q_type, (row0 + m / group) * a.q_row + head_of(m) * D + d, x);
  }
  __device__ float shift(int) const { return 0; }
  __device__ bool plain(int, int last) const { return last <= last0 && a.window == 0; }
  __device__ float score(float s, int m, int token) const {
    const int last = last0 + m / group;
    const bool seen = token <= last && (a.window == 0 || token > last - static_cast<int>(a.window));
    return seen ? s : -INFINITY;
  }
  __device__ float scale() const { return a.scale * log2_of_e; }
  __device__ void store(int m, int d, float x, float y) const {
    const float v[2] = {x, y};
    if (inside(m)) store_as(a.out, a.out_type, (row0 + m / group) * a.out_row + head_of(m) * D + d, v);
  }
};

struct TilePlace {
  int sequence, tile;  // sequence -1: there are fewer tiles
};

// By the first warp: 32 sequences at a time are counted until tile `index` is among them.
__device__ TilePlace find_tile(const PagedAttentionArgs& a, int index, int each, TilePlace* shared) {
  const int lane = threadIdx.x;
  if (lane == 0) *shared = {-1, 0};
  __syncwarp();
  int before = 0;
  for (int s0 = 0; s0 < a.sequences && before <= index && lane < 32; s0 += 32) {
    int tiles = 0;
    if (s0 + lane < a.sequences) {
      const int from = a.row_starts[s0 + lane], to = a.row_starts[s0 + lane + 1];
      const bool good = fits(a, from, to, a.lengths[s0 + lane]);
      if (!good && a.outside) *a.outside = 1;
      tiles = good && to - from > 1 ? (to - from + each - 1) / each : 0;
    }
    int end = tiles;
#pragma unroll
    for (int apart = 1; apart < 32; apart *= 2) {
      const int other = __shfl_up_sync(all_lanes, end, apart);
      if (lane >= apart) end += other;
    }
    const int first = before + end - tiles;
    if (index >= first && index < before + end) *shared = {s0 + lane, tiles - 1 - (index - first)};  // longest first
    before += __shfl_sync(all_lanes, end, 31);
  }
  __syncthreads();
  return *shared;
}

template <typename T, int D, int Rows>
__global__ void __launch_bounds__(2 * Rows, Rows == 128 ? 1 : blocks_at_once(D, Rows))
    prompt_mma(PagedAttentionArgs a) {
  extern __shared__ __align__(128) unsigned char memory[];
  __shared__ TilePlace shared_place;
  PromptTile<T, D> p;
  p.a = a;
  const int heads = static_cast<int>(a.heads / a.kv_heads), parts = (heads + Rows - 1) / Rows;
  const int kv_head = blockIdx.y / parts, part = blockIdx.y % parts;
  p.head0 = kv_head * heads + part * Rows;
  p.group = min(Rows, heads - part * Rows);
  const int each = Rows / min(heads, Rows);
  const TilePlace at = find_tile(a, blockIdx.x, each, &shared_place);
  if (at.sequence < 0) return;
  const int from = a.row_starts[at.sequence], to = a.row_starts[at.sequence + 1];
  p.sequence = at.sequence, p.row0 = from + at.tile * each, p.rows = min(each, to - p.row0);
  p.last0 = a.lengths[at.sequence] - (to - p.row0);
  p.to = p.last0 + p.rows;
  p.from = a.window > 0 ? max(0, p.last0 - static_cast<int>(a.window) + 1) : 0;
  p.keys = static_cast<const T*>(a.k) + kv_head * D, p.values = static_cast<const T*>(a.v) + kv_head * D;
  attend_tile<T, D, Rows>(p, *reinterpret_cast<AttentionTile<T, D>*>(memory));
}

template <typename T, int D, int Rows>
cudaError_t launch_tiles(const PagedAttentionArgs& a, cudaStream_t stream) {
  const int64_t group = a.heads / a.kv_heads, each = Rows / (group < Rows ? group : Rows);
  const cudaError_t set = cudaFuncSetAttribute(prompt_mma<T, D, Rows>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                               static_cast<int>(sizeof(AttentionTile<T, D>)));
  if (set != cudaSuccess) return set;
  const dim3 grid(grid_of(a.rows / each + a.sequences), grid_of(a.kv_heads * blocks_of(group, Rows)));
  prompt_mma<T, D, Rows><<<grid, 2 * Rows, sizeof(AttentionTile<T, D>), stream>>>(a);
  return cudaGetLastError();
}

template <typename T, int D>
cudaError_t launch(const PagedAttentionArgs& a, cudaStream_t stream) {
  return a.rows * a.heads >= 128 * 132 ? launch_tiles<T, D, 128>(a, stream) : launch_tiles<T, D, 64>(a, stream);
}

}  // namespace

cudaError_t launch_paged_prompt(const PagedAttentionArgs& a, cudaStream_t stream) {
  if (a.width == 64 && a.kv_type == DType::bf16) return launch<Bf16, 64>(a, stream);
  if (a.width == 64) return launch<__half, 64>(a, stream);
  return a.kv_type == DType::bf16 ? launch<Bf16, 128>(a, stream) : launch<__half, 128>(a, stream);
}

cudaError_t paged_attention(const PagedAttentionArgs& given, cudaStream_t stream) {
  PagedAttentionArgs a = given;
  if (a.q_row == 0) a.q_row = a.heads * a.width;
  if (a.out_row == 0) a.out_row = a.heads * a.width;
  if (!is_real(a.q_type) || !is_real(a.out_type) || !is_real(a.kv_type) || a.width < 1 || a.width > 512 ||
      a.kv_heads < 1 || a.heads % a.kv_heads != 0 || a.rows > 65535 || a.splits < 0 || a.splits > 8 ||
      (a.splits & (a.splits - 1)) != 0) {
    return cudaErrorInvalidValue;
  }
  if (a.rows * a.heads == 0) return cudaSuccess;
  const bool aligned = is_aligned(a.q) && is_aligned(a.out) && is_aligned(a.k) && is_aligned(a.v) && a.q_row % 8 == 0 &&
                       a.out_row % 8 == 0;
  if ((a.width != 64 && a.width != 128) || a.kv_type == DType::f32 || a.q_type == DType::f32 || !aligned) {
    return launch_paged_any(a, stream);
  }
  const bool prompts = a.rows > a.sequences;
  const cudaError_t launched = launch_paged_decode(a, prompts, stream);
  return launched != cudaSuccess || !prompts ? launched : launch_paged_prompt(a, stream);
}

}  // namespace narae::cuda
