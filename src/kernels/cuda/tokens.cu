// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/gate.cuh"
#include "kernels/cuda/real.cuh"
#include "kernels/cuda/tokens.h"

namespace narae::cuda {
namespace {

__global__ void source_rows(TokenSourceArgs a) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= a.rows) return;
  const int id = a.ids[i], slot = a.slots[i];
  const bool inside = slot >= 0 && slot < a.slot_count;
  if (id < 0 && !inside && a.outside) *a.outside = 1;
  a.out[i] = id >= 0 ? id : inside ? a.last[slot] : 0;
}

// Bytes [0, count) by the whole block; pieces of 16 where both sides lie on 16.
__device__ void copy_bytes(const unsigned char* from, unsigned char* to, int64_t count, int64_t thread,
                           int64_t threads) {
  const uint64_t both =
      reinterpret_cast<uint64_t>(from) | reinterpret_cast<uint64_t>(to) | static_cast<uint64_t>(count);
  if (both % 16 == 0) {
    for (int64_t i = thread; i < count / 16; i += threads) {
      reinterpret_cast<uint4*>(to)[i] = reinterpret_cast<const uint4*>(from)[i];
    }
  } else if (both % 4 == 0) {
    for (int64_t i = thread; i < count / 4; i += threads) {
      reinterpret_cast<uint32_t*>(to)[i] = reinterpret_cast<const uint32_t*>(from)[i];
    }
  } else {
    for (int64_t i = thread; i < count; i += threads) to[i] = from[i];
  }
}

__global__ void __launch_bounds__(256) write_rows(KvWriteArgs a) {
  const int64_t row = blockIdx.x, place = a.places[row];
  if (place < 0 || place >= a.place_count) {
    if (a.outside) *a.outside = 1;
    return;
  }
  if (a.last_stays) {
    bool later = false;
    for (int64_t i = row + 1 + threadIdx.x; i < a.rows; i += blockDim.x) later = later || a.places[i] == place;
    if (__syncthreads_or(later)) return;
  }
  if (a.type == a.state_type) {
    const int64_t bytes = a.width * a.element_bytes;
    copy_bytes(static_cast<const unsigned char*>(a.x) + row * bytes,
               static_cast<unsigned char*>(a.state) + place * bytes, bytes, threadIdx.x, blockDim.x);
    return;
  }
  for (int64_t i = threadIdx.x; i < a.width; i += blockDim.x) {
    store_one(a.state, a.state_type, place * a.width + i, load_one(a.x, a.type, row * a.width + i));
  }
}

// A group of `lanes` threads copies a slice.
__global__ void __launch_bounds__(256) gather_slices(GatherArgs a, int lanes) {
  const int64_t task = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / lanes;
  if (task >= a.outer * a.count) return;
  const int64_t outer = task / a.count, i = task % a.count;
  int64_t at = a.wide_index ? static_cast<const int64_t*>(a.index)[i] : static_cast<const int32_t*>(a.index)[i];
  if (at < 0) at += a.extent;
  if (at < 0 || at >= a.extent) {
    if (a.outside) *a.outside = 1;
    return;
  }
  copy_bytes(static_cast<const unsigned char*>(a.in) + (outer * a.extent + at) * a.slice_bytes,
             static_cast<unsigned char*>(a.out) + task * a.slice_bytes, a.slice_bytes, threadIdx.x % lanes, lanes);
}

template <typename T, int N>
__global__ void __launch_bounds__(256) gated_rows(GatedArgs a) {
  const int64_t each = a.n / N, count = a.rows * each;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x) {
    const int64_t row = i / each, at = i % each * N;
    float x[N], y[N];
    load_floats(static_cast<const T*>(a.a) + row * a.a_row + at, x);
    load_floats(static_cast<const T*>(a.b) + row * a.b_row + at, y);
#pragma unroll
    for (int k = 0; k < N; ++k) x[k] = gate_of(a.gate, x[k]) * y[k];
    store_as(a.y, a.y_type, row * a.y_row + at, x);
  }
}

}  // namespace

cudaError_t token_source(const TokenSourceArgs& a, cudaStream_t stream) {
  if (a.rows == 0) return cudaSuccess;
  source_rows<<<grid_of(blocks_of(a.rows, 128)), 128, 0, stream>>>(a);
  return cudaGetLastError();
}

cudaError_t kv_write(const KvWriteArgs& a, cudaStream_t stream) {
  if (a.type != a.state_type && (!is_real(a.type) || !is_real(a.state_type))) return cudaErrorInvalidValue;
  if (a.rows * a.width == 0) return cudaSuccess;
  write_rows<<<grid_of(a.rows), a.width >= 256 ? 256 : 32, 0, stream>>>(a);
  return cudaGetLastError();
}

cudaError_t gather(const GatherArgs& a, cudaStream_t stream) {
  const int64_t tasks = a.outer * a.count;
  if (tasks * a.slice_bytes == 0) return cudaSuccess;
  const int lanes = a.slice_bytes >= 4096 ? 256 : a.slice_bytes >= 256 ? 32 : a.slice_bytes >= 32 ? 4 : 1;
  gather_slices<<<grid_of(blocks_of(tasks * lanes, 256)), 256, 0, stream>>>(a, lanes);
  return cudaGetLastError();
}

cudaError_t gated(const GatedArgs& given, cudaStream_t stream) {
  GatedArgs a = given;
  if (a.a_row == 0) a.a_row = a.n;
  if (a.b_row == 0) a.b_row = a.n;
  if (a.y_row == 0) a.y_row = a.n;
  if (!is_real(a.y_type)) return cudaErrorInvalidValue;
  if (a.rows * a.n == 0) return cudaSuccess;
  const bool packs = packable(a.a, a.n, a.a_row) && packable(a.b, a.n, a.b_row) && packable(a.y, a.n, a.y_row);
  return visit_real(a.type, [&](auto tag) {
    using T = decltype(tag);
    const int64_t blocks = blocks_of(a.rows * a.n / (packs ? 8 : 1), 256);
    const unsigned grid = grid_of(blocks < 16384 ? blocks : 16384);
    if (packs) {
      gated_rows<T, 8><<<grid, 256, 0, stream>>>(a);
    } else {
      gated_rows<T, 1><<<grid, 256, 0, stream>>>(a);
    }
  });
}

}  // namespace narae::cuda
