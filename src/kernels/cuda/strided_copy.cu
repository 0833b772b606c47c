// SPDX-License-Identifier: Apache-2.0
// Dims are merged where both sides allow it; rows that lie together on both sides move in pieces of up to 16 bytes;
// where each side has another innermost dim, tiles of 32 x 32 are turned in shared memory.
#include "kernels/cuda/real.cuh"
#include "kernels/cuda/strided_copy.h"

namespace narae::cuda {
namespace {

struct Plan {
  int rank = 0;
  int64_t dims[max_copy_rank], in[max_copy_rank], out[max_copy_rank];
  int64_t count = 1;
};

// Without dims of one, outermost (by the output) first, neighbours merged.
Plan make_plan(const StridedCopyArgs& a) {
  Plan p;
  for (int i = 0; i < a.rank; ++i) {
    p.count *= a.dims[i];
    if (a.dims[i] == 1) continue;
    int at = p.rank++;
    const auto size = [](int64_t stride) { return stride < 0 ? -stride : stride; };
    for (; at > 0 && size(p.out[at - 1]) < size(a.out_strides[i]); --at) {
      p.dims[at] = p.dims[at - 1], p.in[at] = p.in[at - 1], p.out[at] = p.out[at - 1];
    }
    p.dims[at] = a.dims[i], p.in[at] = a.in_strides[i], p.out[at] = a.out_strides[i];
  }
  int last = 0;
  for (int i = 1; i < p.rank; ++i) {
    if (p.in[last] == p.in[i] * p.dims[i] && p.out[last] == p.out[i] * p.dims[i]) {
      p.dims[last] *= p.dims[i], p.in[last] = p.in[i], p.out[last] = p.out[i];
    } else {
      ++last;
      p.dims[last] = p.dims[i], p.in[last] = p.in[i], p.out[last] = p.out[i];
    }
  }
  p.rank = p.rank ? last + 1 : 0;
  if (p.rank == 0) p.rank = 1, p.dims[0] = 1, p.in[0] = p.out[0] = 1;
  return p;
}

// Elements `factor` at a time, where the innermost dim lies together on both sides.
bool widen(Plan& p, const StridedCopyArgs& a, int factor) {
  const int last = p.rank - 1, bytes = a.element_bytes * factor;
  if (p.in[last] != 1 || p.out[last] != 1 || p.dims[last] % factor != 0) return false;
  if (reinterpret_cast<uintptr_t>(a.in) % bytes != 0 || reinterpret_cast<uintptr_t>(a.out) % bytes != 0) return false;
  for (int i = 0; i < last; ++i) {
    if (p.in[i] % factor != 0 || p.out[i] % factor != 0) return false;
  }
  for (int i = 0; i < last; ++i) p.in[i] /= factor, p.out[i] /= factor;
  p.dims[last] /= factor, p.count /= factor;
  return true;
}

template <typename T, typename Index>
__global__ void __launch_bounds__(256) copy_elements(const T* in, T* out, Plan p) {
  const Index step = static_cast<Index>(gridDim.x) * blockDim.x;
  for (Index i = static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x; i < static_cast<Index>(p.count);
       i += step) {
    Index rest = i;
    int64_t from = 0, to = 0;
#pragma unroll
    for (int d = max_copy_rank - 1; d >= 0; --d) {
      if (d >= p.rank) continue;
      const Index size = static_cast<Index>(p.dims[d]), next = rest / size, index = rest - next * size;
      rest = next;
      from += static_cast<int64_t>(index) * p.in[d], to += static_cast<int64_t>(index) * p.out[d];
    }
    out[to] = in[from];
  }
}

// Dim `row` lies together in the input, dim `column` in the output; a block a tile.
template <typename T>
__global__ void __launch_bounds__(256)
    copy_turned(const T* in, T* out, Plan p, int row, int column, int64_t row_tiles, int64_t column_tiles) {
  __shared__ T tile[32][33];
  int64_t rest = blockIdx.x;
  const int64_t row0 = rest % row_tiles * 32;
  rest /= row_tiles;
  const int64_t column0 = rest % column_tiles * 32;
  rest /= column_tiles;
  for (int d = p.rank - 1; d >= 0; --d) {
    if (d == row || d == column) continue;
    in += rest % p.dims[d] * p.in[d], out += rest % p.dims[d] * p.out[d];
    rest /= p.dims[d];
  }
  for (int i = threadIdx.y; i < 32; i += 8) {
    const int64_t r = row0 + threadIdx.x, c = column0 + i;
    if (r < p.dims[row] && c < p.dims[column]) tile[i][threadIdx.x] = in[r * p.in[row] + c * p.in[column]];
  }
  __syncthreads();
  for (int i = threadIdx.y; i < 32; i += 8) {
    const int64_t r = row0 + i, c = column0 + threadIdx.x;
    if (r < p.dims[row] && c < p.dims[column]) out[r * p.out[row] + c * p.out[column]] = tile[threadIdx.x][i];
  }
}

unsigned copy_grid(int64_t count) {
  const int64_t blocks = blocks_of(count, 256);
  return grid_of(blocks < 132 * 64 ? blocks : 132 * 64);
}

template <typename T>
void launch(const StridedCopyArgs& a, const Plan& p, cudaStream_t stream) {
  const T* in = static_cast<const T*>(a.in);
  T* out = static_cast<T*>(a.out);
  const int column = p.rank - 1;
  int row = -1;
  for (int i = 0; i < column; ++i) {
    if (p.in[i] == 1 && p.dims[i] >= 8) row = i;
  }
  if (row >= 0 && p.out[column] == 1 && p.in[column] != 1 && p.dims[column] >= 8 && sizeof(T) <= 8) {
    const int64_t row_tiles = blocks_of(p.dims[row], 32), column_tiles = blocks_of(p.dims[column], 32);
    const int64_t others = p.count / p.dims[row] / p.dims[column];
    copy_turned<T><<<grid_of(row_tiles * column_tiles * others), dim3(32, 8), 0, stream>>>(in, out, p, row, column,
                                                                                           row_tiles, column_tiles);
  } else if (p.count < int64_t{1} << 31) {
    copy_elements<T, uint32_t><<<copy_grid(p.count), 256, 0, stream>>>(in, out, p);
  } else {
    copy_elements<T, uint64_t><<<copy_grid(p.count), 256, 0, stream>>>(in, out, p);
  }
}

struct PadPlan {
  PadMode mode;
  int rank;
  int64_t in[max_copy_rank], out[max_copy_rank], before[max_copy_rank];
  int64_t count;
};

__device__ int64_t mirrored(int64_t i, int64_t size) {
  const int64_t last = size - 1;
  if (last == 0) return 0;
  i %= 2 * last;
  if (i < 0) i += 2 * last;
  return i > last ? 2 * last - i : i;
}

template <typename T>
__global__ void __launch_bounds__(256) pad_elements(const T* in, T* out, const T* value, PadPlan p) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < p.count; i += step) {
    int64_t rest = i, from = 0, stride = 1;
    bool inside = true;
    for (int d = p.rank - 1; d >= 0; --d) {
      int64_t at = rest % p.out[d] - p.before[d];
      rest /= p.out[d];
      if (at < 0 || at >= p.in[d]) {
        switch (p.mode) {
          case PadMode::constant: inside = false, at = 0; break;
          case PadMode::edge: at = at < 0 ? 0 : p.in[d] - 1; break;
          case PadMode::reflect: at = mirrored(at, p.in[d]); break;
          case PadMode::wrap: at = (at % p.in[d] + p.in[d]) % p.in[d]; break;
        }
      }
      from += at * stride, stride *= p.in[d];
    }
    out[i] = inside ? in[from] : value ? *value : T{};
  }
}

}  // namespace

cudaError_t strided_copy(const StridedCopyArgs& a, cudaStream_t stream) {
  if (a.rank < 0 || a.rank > max_copy_rank) return cudaErrorInvalidValue;
  Plan p = make_plan(a);
  if (p.count == 0) return cudaSuccess;
  int bytes = a.element_bytes;
  for (int factor = 16 / bytes; factor > 1; factor /= 2) {
    if (!widen(p, a, factor)) continue;
    bytes *= factor;
    break;
  }
  switch (bytes) {
    case 1: launch<uint8_t>(a, p, stream); break;
    case 2: launch<uint16_t>(a, p, stream); break;
    case 4: launch<uint32_t>(a, p, stream); break;
    case 8: launch<uint64_t>(a, p, stream); break;
    case 16: launch<uint4>(a, p, stream); break;
    default: return cudaErrorInvalidValue;
  }
  return cudaGetLastError();
}

cudaError_t pad(const PadArgs& a, cudaStream_t stream) {
  if (a.rank < 0 || a.rank > max_copy_rank) return cudaErrorInvalidValue;
  PadPlan p{a.mode, a.rank, {}, {}, {}, 1};
  bool empty = false;
  for (int i = 0; i < a.rank; ++i) {
    p.in[i] = a.in_dims[i], p.out[i] = a.out_dims[i], p.before[i] = a.before[i], p.count *= a.out_dims[i];
    empty = empty || a.in_dims[i] == 0;
  }
  if (p.count == 0) return cudaSuccess;
  if (empty && a.mode != PadMode::constant) return cudaErrorInvalidValue;
  const auto run = [&](auto tag) {
    using T = decltype(tag);
    pad_elements<T><<<copy_grid(p.count), 256, 0, stream>>>(static_cast<const T*>(a.in), static_cast<T*>(a.out),
                                                            static_cast<const T*>(a.value), p);
    return cudaGetLastError();
  };
  switch (a.element_bytes) {
    case 1: return run(uint8_t{});
    case 2: return run(uint16_t{});
    case 4: return run(uint32_t{});
    case 8: return run(uint64_t{});
    default: return cudaErrorInvalidValue;
  }
}

}  // namespace narae::cuda
