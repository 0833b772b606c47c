// SPDX-License-Identifier: Apache-2.0
// A module's learned tensor, as it is stored: plain, or in blocks that the graph decodes.
#pragma once

#include <string>

#include "tensor/formats.h"
#include "tensor/tensor.h"

namespace narae::nn {

struct Parameter {
  std::string name;
  Dims dims;  // logical
  BlockFormat format = BlockFormat::none;
  Tensor data;  // in blocks: u8 [rows, bytes of a row], rows = all dims but the last
};

}  // namespace narae::nn
