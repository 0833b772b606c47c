// SPDX-License-Identifier: Apache-2.0
// dequantize_blocks: rows of weights stored in blocks (tensor/formats.h), u8 [.., bytes of a row] -> f32 [.., K].
// Equal to the gguf package bit for bit: the products are exact in f32, so only the last step rounds.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct DequantizeBlocksAttributes {
  std::string format;  // q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k
  template <class V>
  void fields(V& v) {
    v("format", format);
  }
};

}  // namespace narae
