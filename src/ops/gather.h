// SPDX-License-Identifier: Apache-2.0
// gather: slices of operand 0 along `axis` picked by operand 1 (i32 or i64, below 0 counts from the end); the axis is
// replaced by the shape of the indices. gather_elements: y[i][j][k] = x[index[i][j][k]][j][k] for axis 0, the indices
// of the operand's rank. An index outside the axis is an Error does_not_fit.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct GatherAttributes {  // gather, gather_elements
  int64_t axis = 0;        // negative counts from the end
  template <class V>
  void fields(V& v) {
    v("axis", axis);
  }
};

}  // namespace narae
