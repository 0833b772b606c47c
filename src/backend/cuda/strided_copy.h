// SPDX-License-Identifier: Apache-2.0
// Strided copies between operands and results: what transposes, joins, parts, broadcasts and reformats come down to.
#pragma once

#include "backend/cuda/scalar_kernel.h"
#include "backend/tactic.h"

namespace narae::cuda {

struct Move {
  size_t from = 0, to = 0;                 // places in a launch's operands
  int64_t from_offset = 0, to_offset = 0;  // elements
  Dims dims;
  std::vector<int64_t> from_strides, to_strides;
};

// Copies whose both ends lie at one place (the planner arranged it) are skipped. `clear`: result bytes set to zero
// before.
std::unique_ptr<Kernel> make_move_kernel(TextKernels& texts, size_t element_bytes, const std::vector<Move>& moves,
                                         size_t clear = 0);
// Strides of the logical axes in a layout that is plain or holds its whole blocked axis in one block.
std::vector<int64_t> logical_strides(const Dims& dims, const Layout& layout);

}  // namespace narae::cuda
