// SPDX-License-Identifier: Apache-2.0
// Reductions over any set of axes: reduce_sum, _mean, _max, _min, _prod, _l1 (sum |x|), _l2 (sqrt of _sum_square),
// _sum_square, _log_sum, _log_sum_exp. Result of the operand's type; integers stay exact and wrap, a mean of integers
// is cut towards zero. Over no elements: 0, nan, -inf (lowest), inf (highest), 1, and what follows from them.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct ReduceAttributes {
  std::vector<int64_t> axes;  // ascending, 0 <= axis < rank; none: every element is reduced by itself
  bool keepdims = true;       // reduced axes stay as ones
  template <class V>
  void fields(V& v) {
    v("axes", axes);
    v("keepdims", keepdims);
  }
};

}  // namespace narae
