// SPDX-License-Identifier: Apache-2.0
// depth_to_space: [N, C, H, W] -> [N, C / b^2, H b, W b], blocks of channels laid out as pixels; space_to_depth is the
// way back of mode DCR. The channels are [b, b, C / b^2] in mode DCR and [C / b^2, b, b] in mode CRD (ONNX).
#pragma once

#include "graph/attributes.h"

namespace narae {

struct DepthToSpaceAttributes {
  int64_t block = 2;
  std::string mode = "DCR";  // or CRD
  template <class V>
  void fields(V& v) {
    v("block", block);
    v("mode", mode);
  }
};

struct SpaceToDepthAttributes {
  int64_t block = 2;
  template <class V>
  void fields(V& v) {
    v("block", block);
  }
};

}  // namespace narae
