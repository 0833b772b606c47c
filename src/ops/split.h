// SPDX-License-Identifier: Apache-2.0
// split: one result per entry of `sizes`, cut one after another along `axis`; the sizes add up to that axis.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct SplitAttributes {
  int64_t axis = 0;  // negative counts from the end
  std::vector<Dim> sizes;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("sizes", sizes);
  }
};

}  // namespace narae
