// SPDX-License-Identifier: Apache-2.0
// What the kernels of paged attention read from a step's lists. Nothing here trusts them: a row of a list that does not
// fit counts as a row of no sequence and is reported.
#pragma once

#include "kernels/cuda/paged_attention.h"
#include "kernels/cuda/reduce.cuh"

namespace narae::cuda {

// The tokens [first, last] that a row sees; sequence -1: none.
struct RowSpan {
  int sequence, count;  // count: rows of the sequence
  int first, last;
};

__device__ inline bool fits(const PagedAttentionArgs& a, int64_t from, int64_t to, int64_t length) {
  return from >= 0 && to >= from && to <= a.rows && length >= to - from && length <= a.pages * a.page_size;
}

__device__ inline int place_of(const PagedAttentionArgs& a, int sequence, int token) {
  const int size = static_cast<int>(a.page_size);
  const int64_t page = a.tables[sequence * a.pages + token / size];
  if (page < 0 || (page + 1) * size > a.places) {
    if (a.outside) *a.outside = 1;
    return 0;
  }
  return static_cast<int>(page * size + token % size);
}

// For a whole block at once; `shared` is one RowSpan.
__device__ inline RowSpan find_row(const PagedAttentionArgs& a, int row, RowSpan* shared) {
  if (threadIdx.x == 0) shared->sequence = -1;
  __syncthreads();
  for (int s = threadIdx.x; s < a.sequences; s += blockDim.x) {
    const int from = a.row_starts[s], to = a.row_starts[s + 1], length = a.lengths[s];
    if (!fits(a, from, to, length)) {
      if (a.outside) *a.outside = 1;
      continue;
    }
    if (row < from || row >= to) continue;
    const int last = length - to + row, window = static_cast<int>(a.window);
    *shared = {s, to - from, window > 0 && last >= window ? last - window + 1 : 0, last};
  }
  __syncthreads();
  return *shared;
}

}  // namespace narae::cuda
