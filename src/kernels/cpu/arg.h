// SPDX-License-Identifier: Apache-2.0
// Places of the largest or smallest elements along one axis of [outer, size, inner]; plain loops, the same on every
// instruction set. NaN stands above every number; of equals the first counts (arg: or the last). A task is one line
// (topk) or up to 64 neighbouring ones (arg).
#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cpu {

struct ArgShape {
  DType dtype = DType::f32;  // any but f16, bf16, bool and string
  int64_t outer = 1, size = 1, inner = 1;
  bool largest = true;
  bool last = false;  // arg: of equals the last
  int64_t k = 1;      // topk: 0 <= k <= size
};

bool arg_takes(DType dtype);
int64_t arg_tasks(const ArgShape& shape);
// out: [outer, inner]. size must not be 0.
void arg_run(const ArgShape& shape, const void* in, int64_t* out, int64_t begin, int64_t end);

inline int64_t topk_tasks(const ArgShape& s) { return s.outer * s.inner; }
// values, places: [outer, k, inner], sorted. scratch: `size` integers.
void topk_run(const ArgShape& shape, const void* in, void* values, int64_t* places, int64_t* scratch, int64_t begin,
              int64_t end);

}  // namespace narae::cpu
