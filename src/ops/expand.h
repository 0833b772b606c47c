// SPDX-License-Identifier: Apache-2.0
// expand: the operand broadcast with `shape`, both ways as ONNX has it: a 1 in `shape` leaves the operand's size.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct ExpandAttributes {
  std::vector<Dim> shape;
  template <class V>
  void fields(V& v) {
    v("shape", shape);
  }
};

}  // namespace narae
