// SPDX-License-Identifier: Apache-2.0
// pad: more elements before and after each axis; negative pads cut some off, before the others are filled. Operand 1,
// where present, is the scalar that mode "constant" fills with (else 0).
#pragma once

#include "graph/attributes.h"

namespace narae {

struct PadAttributes {
  std::vector<Dim> pads;          // [begin of axis 0, begin of axis 1, .., end of axis 0, ..]
  std::string mode = "constant";  // constant, edge, reflect (without the border element), wrap
  template <class V>
  void fields(V& v) {
    v("pads", pads);
    v("mode", mode);
  }
};

}  // namespace narae
