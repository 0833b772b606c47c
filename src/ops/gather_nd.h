// SPDX-License-Identifier: Apache-2.0
// gather_nd: the last axis of operand 1 (i32 or i64) holds coordinates into the axes of operand 0 that follow the first
// `batch_dims` ones, which both share; what they point at, an element or a slice, takes the place of that axis.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct GatherNdAttributes {
  int64_t batch_dims = 0;
  template <class V>
  void fields(V& v) {
    v("batch_dims", batch_dims);
  }
};

}  // namespace narae
