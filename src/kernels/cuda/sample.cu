// SPDX-License-Identifier: Apache-2.0
// A cluster of blocks a row, each with its share of the tokens: eight where there are few rows, one where there are
// many. Which token is chosen does not depend on how many. Candidates are ordered by a key of 64 bits: how far a logit
// lies below the highest, in steps of 2^-26, then the token. The last key that top_k or top_p keeps is found digit by
// digit, with a histogram over the row for each: of counts, or of probabilities as whole numbers, so that the order of
// additions does not matter.
#include <cooperative_groups.h>

#include "kernels/cuda/real.cuh"
#include "kernels/cuda/reduce.cuh"
#include "kernels/cuda/sample.h"
#include "tensor/noise.h"

namespace narae::cuda {
namespace {

constexpr int threads = 1024, bins = 2048;
using Key = unsigned long long;
constexpr Key any_key = ~Key{0};

// -log(-log(noise)) lies in (-2.9, 17).
constexpr float most_shift = 17.f;

struct Best {
  float value;
  int token;  // -1: none
};
__device__ bool likelier(const Best& a, const Best& b) {
  if (a.token < 0 || b.token < 0) return b.token < 0 && a.token >= 0;
  return a.value > b.value || (a.value == b.value && a.token < b.token);
}

struct Shared {
  Key histogram[bins];
  Key sums[32];
  Key before, inside;  // of the chosen bin
  int bin;
  Best best[33];
  float floats[33];
  HighSum all;
  int strange;
};

__device__ inline auto row_cluster() { return cooperative_groups::this_cluster(); }
__device__ inline int cluster_blocks() { return static_cast<int>(gridDim.x); }
// Tokens of this thread: from here on, in steps of all threads of the cluster.
__device__ inline int first_token() { return static_cast<int>(blockIdx.x) * threads + static_cast<int>(threadIdx.x); }
__device__ inline int token_step() { return cluster_blocks() * threads; }

// f(part) for the Shared of each block of the cluster, in order. All threads of the cluster must come.
template <typename F>
__device__ void each_part(Shared& shared, F f) {
  row_cluster().sync();
  for (int r = 0; r < cluster_blocks(); ++r) f(*row_cluster().map_shared_rank(&shared, r));
  row_cluster().sync();
}

__device__ Best cluster_best(Best own, Shared& shared) {
#pragma unroll
  for (int apart = 16; apart > 0; apart /= 2) {
    const Best other{__shfl_xor_sync(all_lanes, own.value, apart), __shfl_xor_sync(all_lanes, own.token, apart)};
    if (likelier(other, own)) own = other;
  }
  if (threadIdx.x % 32 == 0) shared.best[threadIdx.x / 32] = own;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int i = 1; i < threads / 32; ++i) {
      if (likelier(shared.best[i], own)) own = shared.best[i];
    }
    shared.best[32] = own;
  }
  Best best{-INFINITY, -1};
  each_part(shared, [&](const Shared& part) {
    if (likelier(part.best[32], best)) best = part.best[32];
  });
  return best;
}

struct Row {
  const float* logits;  // with changes
  const int32_t* mask;  // null: all tokens may come
  int vocabulary;
  float temperature, high;  // high: the highest logit / temperature

  __device__ float logit(int t) const {
    const float x = logits[t];
    return mask && !(static_cast<uint32_t>(mask[t / 32]) >> (t % 32) & 1) ? -INFINITY : x;
  }
  __device__ float value(int t) const { return logit(t) / temperature; }
  __device__ Key key(float value, int t) const {
    const float below = fminf((high - value) * 0x1p26f, 4294967040.f);
    return static_cast<Key>(static_cast<uint32_t>(below)) << 32 | static_cast<uint32_t>(t);
  }
  // f(value, token) of each that may come.
  template <typename F>
  __device__ void each(F f) const {
#pragma unroll 4
    for (int t = first_token(); t < vocabulary; t += token_step()) {
      const float v = value(t);
      if (v > -INFINITY) f(v, t);
    }
  }
  __device__ Key weight(float value) const { return __float2ull_rn(expf(value - high) * 0x1p44f); }
};

// All blocks of the cluster find the same: the bin in which the running sum of the histogram reaches `need`, with the
// sum before it; the last bin where it does not.
__device__ void find_bin(Shared& shared, Key need) {
  const int i = threadIdx.x, lane = i % 32, warp = i / 32;
  Key first = 0, second = 0;
  each_part(shared, [&](const Shared& part) { first += part.histogram[2 * i], second += part.histogram[2 * i + 1]; });
  Key sum = first + second;
#pragma unroll
  for (int apart = 1; apart < 32; apart *= 2) {
    const Key other = __shfl_up_sync(all_lanes, sum, apart);
    if (lane >= apart) sum += other;
  }
  if (lane == 31) shared.sums[warp] = sum;
  if (i == 0) shared.bin = -1;
  __syncthreads();
  Key before = 0;
  for (int w = 0; w < warp; ++w) before += shared.sums[w];
  const Key end = before + sum, begin = end - first - second;
  if (begin < need && need <= end) {
    const bool low = need <= begin + first;
    shared.bin = 2 * i + (low ? 0 : 1);
    shared.before = low ? begin : begin + first, shared.inside = low ? first : second;
  }
  __syncthreads();
}

// Digits of a key: 11, 11 and 10 bits of the distance, 11 and 10 of the token.
constexpr int digits = 5;
__device__ constexpr int shift_of(int level) {
  return level == 0 ? 53 : level == 1 ? 42 : level == 2 ? 32 : level == 3 ? 10 : 0;
}
__device__ constexpr Key mask_of(int level) { return level == 2 || level == 4 ? 1023 : 2047; }

// The key up to which the weights, taken in order, first reach `need`. Only keys up to `last` count.
template <typename Weight>
__device__ Key find_cut(const Row& row, Shared& shared, Key last, Key need, Weight weight) {
  Key prefix = 0, fixed = 0;  // digits chosen so far, and their place
  for (int level = 0; level < digits; ++level) {
    for (int i = threadIdx.x; i < bins; i += threads) shared.histogram[i] = 0;
    __syncthreads();
    row.each([&](float v, int t) {
      const Key key = row.key(v, t);
      if (key > last || (key & fixed) != prefix) return;
      atomicAdd(&shared.histogram[key >> shift_of(level) & mask_of(level)], weight(v));
    });
    find_bin(shared, need);
    const int bin = shared.bin;
    const Key before = shared.before, inside = shared.inside;
    __syncthreads();
    if (bin < 0) return last;  // all of them together do not reach it
    prefix |= static_cast<Key>(bin) << shift_of(level);
    fixed |= mask_of(level) << shift_of(level);
    need -= before;
    if (need == inside) break;  // the whole bin
  }
  return min(prefix | ~fixed, last);
}

// Applies a row's changes to its copy; false where one lies outside.
__device__ bool change_row(const SampleArgs& a, int64_t r, float* copy, int from, int to) {
  const float* logits = a.logits + r * a.vocabulary;
  bool good = true;
  for (int i = from + static_cast<int>(threadIdx.x); i < to; i += threads) {
    good = good && a.change_tokens[i] >= 0 && a.change_tokens[i] < a.vocabulary;
  }
  for (int64_t t = first_token(); t < a.vocabulary; t += token_step()) copy[t] = logits[t];
  if (__syncthreads_or(!good)) return false;  // in all blocks alike
  row_cluster().sync();
  // Several changes of a token belong to the thread of the first, which goes through them in order.
  for (int i = from + first_token(); i < to; i += token_step()) {
    const int token = a.change_tokens[i];
    bool is_first = true;
    for (int k = from; k < i && is_first; ++k) is_first = a.change_tokens[k] != token;
    if (!is_first) continue;
    float logit = copy[token];
    for (int k = i; k < to; ++k) {
      if (a.change_tokens[k] != token) continue;
      logit = (logit > 0 ? logit / a.change_scales[k] : logit * a.change_scales[k]) + a.change_adds[k];
    }
    copy[token] = logit;
  }
  row_cluster().sync();
  return true;
}

// The likeliest token before anything but changes and mask, and of the logits as they came the largest and the sum.
struct FirstPass {
  Best first;
  HighSum all;
};
__device__ FirstPass first_pass(const float* logits, const Row& row, Shared& shared) {
  FirstPass pass{{-INFINITY, -1}, {-3.4e38f, 0}};
  bool strange = false;
  const bool as_came = row.logits == logits && !row.mask;
#pragma unroll 4
  for (int t = first_token(); t < row.vocabulary; t += token_step()) {
    const float came = logits[t], x = as_came ? came : row.logit(t);
    strange = strange || x != x;
    if (x > pass.first.value) pass.first = {x, t};
    if (came > pass.all.high) {
      pass.all = {came, pass.all.sum * __expf(pass.all.high - came) + 1};
    } else {
      pass.all.sum += __expf(came - pass.all.high);
    }
  }
  shared.strange = __syncthreads_or(strange);
  const float high = block_reduce<Max>(pass.all.high, shared.floats);
  const float sum = block_reduce<Sum>(pass.all.sum * __expf(pass.all.high - high), shared.floats);
  if (threadIdx.x == 0) shared.all = {high, sum};
  pass.first = cluster_best(pass.first, shared);
  pass.all = {-3.4e38f, 0};
  int any = 0;
  each_part(shared, [&](const Shared& part) { pass.all = join(pass.all, part.all), any |= part.strange; });
  if (any) pass.first.token = -1;
  return pass;
}

__device__ int choose(const SampleArgs& a, int64_t r, Row& row, const Best& first, Shared& shared) {
  if (first.token < 0) return -1;
  const int top_k = a.top_ks[r];
  const float top_p = a.top_ps[r], min_p = a.min_ps[r];
  row.temperature = a.temperatures[r];
  if (!(row.temperature > 0) || top_k == 1) return first.token;
  row.high = first.value / row.temperature;
  Key last = any_key;
  if (top_k > 0 && top_k < row.vocabulary) {
    last = find_cut(row, shared, last, static_cast<Key>(top_k), [](float) { return Key{1}; });
  }
  if (top_p < 1) {
    Key own = 0;
    row.each([&](float v, int t) { own += row.key(v, t) <= last ? row.weight(v) : 0; });
    if (threadIdx.x == 0) shared.sums[0] = 0;
    __syncthreads();
    atomicAdd(&shared.sums[0], own);  // whole numbers: in any order
    Key sum = 0;
    each_part(shared, [&](const Shared& part) { sum += part.sums[0]; });
    const auto target = static_cast<Key>(ceil(static_cast<double>(top_p) * static_cast<double>(sum)));
    last = find_cut(row, shared, last, target > 0 ? target : 1, [&](float v) { return row.weight(v); });
  }
  const uint64_t noise_of = noise_key(static_cast<uint64_t>(a.seeds[r]), a.branches[r], a.positions[r]);
  Best best{-INFINITY, -1};
  row.each([&](float v, int t) {
    if (v + most_shift < best.value || row.key(v, t) > last) return;
    if (min_p > 0 && t != first.token && expf(v - row.high) < min_p) return;
    const Best shifted{v - logf(-logf(noise(noise_of, t))), t};
    if (likelier(shifted, best)) best = shifted;
  });
  return cluster_best(best, shared).token;
}

__global__ void __launch_bounds__(threads) sample_rows(SampleArgs a) {
  __shared__ Shared shared;
  const int64_t r = blockIdx.y;
  const float* logits = a.logits + r * a.vocabulary;
  Row row{logits, nullptr, static_cast<int>(a.vocabulary), 1, 0};
  const int from = a.change_starts[r], to = a.change_starts[r + 1], mask = a.mask_rows[r];
  bool good = from >= 0 && to >= from && to <= a.changes;
  if (mask >= 0) {
    good = good && mask < a.mask_count && a.mask_words * 32 >= a.vocabulary;
    row.mask = a.masks + mask * a.mask_words;
  }
  if (good && to > from) {
    float* copy = a.workspace + r * a.vocabulary;
    good = change_row(a, r, copy, from, to);
    row.logits = copy;
  }
  if (!good) {
    if (first_token() == 0) {
      if (a.outside) *a.outside = 1;
      a.tokens[r] = -1, a.logprobs[r] = -INFINITY;
    }
    return;
  }
  const FirstPass pass = first_pass(logits, row, shared);
  const int token = choose(a, r, row, pass.first, shared);
  if (first_token() != 0) return;
  a.tokens[r] = token;
  a.logprobs[r] = token < 0 ? -INFINITY : logits[token] - pass.all.high - logf(pass.all.sum);
}

}  // namespace

cudaError_t sample(const SampleArgs& a, cudaStream_t stream) {
  if (a.vocabulary < 1 || a.vocabulary > 1 << 21 || (a.changes > 0 && !a.workspace)) return cudaErrorInvalidValue;
  if (a.rows == 0) return cudaSuccess;
  if (a.rows > 65535) return cudaErrorInvalidValue;
  cudaLaunchAttribute cluster{};
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim.x = a.rows <= 16 ? 8 : a.rows <= 32 ? 4 : a.rows <= 66 ? 2 : 1;
  cluster.val.clusterDim.y = cluster.val.clusterDim.z = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(cluster.val.clusterDim.x, grid_of(a.rows)), config.blockDim = dim3(threads);
  config.stream = stream, config.attrs = &cluster, config.numAttrs = 1;
  return cudaLaunchKernelEx(&config, sample_rows, a);
}

}  // namespace narae::cuda
