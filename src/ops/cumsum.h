// SPDX-License-Identifier: Apache-2.0
// cumsum, cumprod: running sums and products along `axis`; exclusive ones leave out the element itself, reverse ones
// start at the end. Floats are run in double here, integers wrap.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct CumsumAttributes {
  int64_t axis = 0;  // negative counts from the end
  bool exclusive = false, reverse = false;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("exclusive", exclusive);
    v("reverse", reverse);
  }
};

}  // namespace narae
