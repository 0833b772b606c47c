// SPDX-License-Identifier: Apache-2.0
// reverse_sequence: of every entry along `batch_axis` the first lengths[entry] elements along `time_axis` in reverse
// order, the others as they are. Operand 1: the lengths (i64 or i32).
#pragma once

#include "graph/attributes.h"

namespace narae {

struct ReverseSequenceAttributes {
  int64_t time_axis = 0, batch_axis = 1;
  template <class V>
  void fields(V& v) {
    v("time_axis", time_axis);
    v("batch_axis", batch_axis);
  }
};

}  // namespace narae
