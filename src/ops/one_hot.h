// SPDX-License-Identifier: Apache-2.0
// one_hot: a new axis of size `depth` that holds values[1] at the place operand 0 (indices) names and values[0]
// elsewhere; operand 1 is values = [off, on]. Indices below 0 count from the end; outside [-depth, depth) all is off.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct OneHotAttributes {
  Dim depth = 1;
  int64_t axis = -1;  // place of the new axis in the result; negative counts from its end
  template <class V>
  void fields(V& v) {
    v("depth", depth);
    v("axis", axis);
  }
};

}  // namespace narae
