// SPDX-License-Identifier: Apache-2.0
// Several strided copies between operands and results as one kernel: concat, split, slice, transpose, expand, tile.
// Copies that the planner has made unnecessary (both ends at one place) are skipped.
#pragma once

#include <memory>
#include <vector>

#include "backend/cpu/cpu_kernel.h"
#include "backend/relayout.h"
#include "kernels/cpu/reorder.h"

namespace narae::cpu {

struct Move {
  size_t from = 0, to = 0;                 // places in a launch's operands
  int64_t from_offset = 0, to_offset = 0;  // elements
  Dims dims;
  std::vector<int64_t> from_strides, to_strides;
};

// Null when some move has more than the copies can do.
std::unique_ptr<Kernel> make_move_kernel(int threads, const ReorderKernels& kernels, int64_t element_bytes,
                                         const std::vector<Move>& moves);

// A value's memory seen as its stored dims (blocks and lanes apart), from `first` on along `axis` of the dims.
struct StoredView {
  Dims dims;
  std::vector<int64_t> strides;
};
StoredView stored_view(const Dims& dims, const Layout& layout);
// Elements before index `first` of an axis; first must be whole blocks along the blocked axis.
int64_t stored_offset(const Dims& dims, const Layout& layout, size_t axis, int64_t first);

}  // namespace narae::cpu
