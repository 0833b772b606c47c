// SPDX-License-Identifier: Apache-2.0
// tile: the operand repeated repeats[i] times along axis i.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct TileAttributes {
  std::vector<Dim> repeats;  // one per axis
  template <class V>
  void fields(V& v) {
    v("repeats", repeats);
  }
};

}  // namespace narae
