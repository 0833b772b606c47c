// SPDX-License-Identifier: Apache-2.0
// Operand 0 with some elements replaced by, or reduced with, those of operand 2 (updates), at the places that operand 1
// (i32 or i64) names. scatter_elements: indices and updates of one shape, as gather_elements reads. scatter_nd: the
// last axis of the indices holds coordinates, as gather_nd reads. Updates are applied in row-major order, so with
// reduction "none" the last one to a place stays.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct ScatterElementsAttributes {
  int64_t axis = 0;                // negative counts from the end
  std::string reduction = "none";  // none, add, mul, min, max
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("reduction", reduction);
  }
};

struct ScatterNdAttributes {
  std::string reduction = "none";
  template <class V>
  void fields(V& v) {
    v("reduction", reduction);
  }
};

}  // namespace narae
