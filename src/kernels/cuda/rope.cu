// SPDX-License-Identifier: Apache-2.0
// A block a row: its sines and cosines are made once, in shared memory, for all heads.
#include <algorithm>

#include "kernels/cuda/real.cuh"
#include "kernels/cuda/rope.h"

namespace narae::cuda {
namespace {

constexpr int threads = 256, most_pairs = 512;

struct Turns {
  float cosine[most_pairs], sine[most_pairs];
};

__device__ void make_turns(Turns& turns, const float* frequencies, int pairs, int position, float scale) {
  for (int i = threadIdx.x; i < pairs; i += blockDim.x) {
    const double angle = static_cast<double>(position) * static_cast<double>(frequencies[i]);
    const double n = rint(angle * 0.63661977236758134308);
    const auto rest = static_cast<float>(angle - n * 1.57079632679489661923);
    const int quarter = static_cast<int>(static_cast<long long>(n) & 3);
    float s, c;
    sincosf(rest, &s, &c);
    const float sine = quarter & 1 ? c : s, cosine = quarter & 1 ? s : c;
    turns.sine[i] = (quarter & 2 ? -sine : sine) * scale;
    turns.cosine[i] = ((quarter + 1) & 2 ? -cosine : cosine) * scale;
  }
  __syncthreads();
}

// Heads from x to y; each thread takes pairs.
__device__ void turn_heads(const Turns& turns, const void* x, DType type, int64_t x_at, void* y, DType y_type,
                           int64_t y_at, int heads, int width, int pairs, bool interleaved) {
  const int rest = width - 2 * pairs, each = pairs + rest, step = interleaved ? 2 : 1, apart = interleaved ? 1 : pairs;
  for (int i = threadIdx.x; i < heads * each; i += blockDim.x) {
    const int head = i / each, pair = i % each;
    const int64_t from = x_at + head * width, to = y_at + head * width;
    if (pair >= pairs) {
      store_one(y, y_type, to + pairs + pair, load_one(x, type, from + pairs + pair));
      continue;
    }
    const float a = load_one(x, type, from + step * pair), b = load_one(x, type, from + step * pair + apart);
    const float c = turns.cosine[pair], s = turns.sine[pair];
    store_one(y, y_type, to + step * pair, fmaf(-b, s, a * c));
    store_one(y, y_type, to + step * pair + apart, fmaf(a, s, b * c));
  }
}

__global__ void __launch_bounds__(threads) rope_rows(RopeArgs a) {
  __shared__ Turns turns;
  const int64_t row = blockIdx.x;
  make_turns(turns, a.frequencies, static_cast<int>(a.pairs), a.positions[row], a.scale);
  turn_heads(turns, a.x, a.type, row * a.x_row, a.y, a.y_type, row * a.y_row, static_cast<int>(a.heads),
             static_cast<int>(a.width), static_cast<int>(a.pairs), a.interleaved);
}

__global__ void __launch_bounds__(threads) rope_kv_rows(RopeKvArgs a) {
  __shared__ Turns turns;
  const int64_t row = blockIdx.x;
  const int width = static_cast<int>(a.width), pairs = static_cast<int>(a.pairs),
            kv_heads = static_cast<int>(a.kv_heads);
  make_turns(turns, a.frequencies, pairs, a.positions[row], a.scale);
  const auto share = [](int64_t count) {  // of this block: the first, and how many
    const int64_t first = count * blockIdx.y / gridDim.y;
    return int2{static_cast<int>(first), static_cast<int>(count * (blockIdx.y + 1) / gridDim.y - first)};
  };
  const int2 q = share(a.heads), kv = share(kv_heads);
  turn_heads(turns, a.q, a.type, row * a.q_row + q.x * width, a.q_out, a.q_type, row * a.q_out_row + q.x * width, q.y,
             width, pairs, a.interleaved);
  const int64_t place = a.places[row];
  if (place < 0 || place >= a.place_count) {
    if (a.outside) *a.outside = 1;
    return;
  }
  bool again = false;  // a later row has the same place
  for (int64_t later = row + 1 + threadIdx.x; later < a.rows; later += blockDim.x) again |= a.places[later] == place;
  if (__syncthreads_or(again)) return;
  const int64_t skipped = kv.x * width, to = place * kv_heads * width + skipped;
  turn_heads(turns, a.k, a.type, row * a.k_row + skipped, a.k_state, a.kv_type, to, kv.y, width, pairs, a.interleaved);
  for (int i = threadIdx.x; i < kv.y * width; i += blockDim.x) {
    store_one(a.v_state, a.kv_type, to + i, load_one(a.v, a.type, row * a.v_row + skipped + i));
  }
}

}  // namespace

cudaError_t rope(const RopeArgs& given, cudaStream_t stream) {
  RopeArgs a = given;
  if (a.x_row == 0) a.x_row = a.heads * a.width;
  if (a.y_row == 0) a.y_row = a.heads * a.width;
  if (!is_real(a.type) || !is_real(a.y_type) || a.pairs > most_pairs || 2 * a.pairs > a.width)
    return cudaErrorInvalidValue;
  if (a.rows * a.heads * a.width == 0) return cudaSuccess;
  rope_rows<<<grid_of(a.rows), threads, 0, stream>>>(a);
  return cudaGetLastError();
}

cudaError_t rope_kv(const RopeKvArgs& given, cudaStream_t stream) {
  RopeKvArgs a = given;
  if (a.q_row == 0) a.q_row = a.heads * a.width;
  if (a.q_out_row == 0) a.q_out_row = a.heads * a.width;
  if (a.k_row == 0) a.k_row = a.kv_heads * a.width;
  if (a.v_row == 0) a.v_row = a.kv_heads * a.width;
  if (!is_real(a.type) || !is_real(a.q_type) || !is_real(a.kv_type) || a.pairs > most_pairs || 2 * a.pairs > a.width) {
    return cudaErrorInvalidValue;
  }
  if (a.rows * a.width == 0) return cudaSuccess;
  // A few rows alone would leave most of the device idle: their heads are shared out.
  const auto parts = static_cast<unsigned>(a.rows <= 32 ? std::clamp<int64_t>(a.heads, 1, 8) : 1);
  rope_kv_rows<<<dim3(grid_of(a.rows), parts), threads, 0, stream>>>(a);
  return cudaGetLastError();
}

}  // namespace narae::cuda
