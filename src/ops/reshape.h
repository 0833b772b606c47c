// SPDX-License-Identifier: Apache-2.0
// reshape: the same elements in row-major order under another shape. Flatten, squeeze and unsqueeze are this op too.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct ReshapeAttributes {
  std::vector<Dim> shape;  // every size given; importers resolve 0 and -1
  template <class V>
  void fields(V& v) {
    v("shape", shape);
  }
};

}  // namespace narae
