// SPDX-License-Identifier: Apache-2.0
// concat: operands of one type, equal but for their size on `axis`, one after another along it.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct ConcatAttributes {
  int64_t axis = 0;  // negative counts from the end
  template <class V>
  void fields(V& v) {
    v("axis", axis);
  }
};

}  // namespace narae
