// SPDX-License-Identifier: Apache-2.0
// transpose: result axis i is operand axis perm[i].
#pragma once

#include "graph/attributes.h"

namespace narae {

struct TransposeAttributes {
  std::vector<int64_t> perm;
  template <class V>
  void fields(V& v) {
    v("perm", perm);
  }
};

}  // namespace narae
