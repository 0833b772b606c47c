// SPDX-License-Identifier: Apache-2.0
// Whole tensors as doubles, and a tensor seen around one axis: what references of contractions, pools and norms read
// and write. 64-bit integers beyond 2^53 do not survive; ops that need them exact use element_as_int.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace narae {

// Empty for an absent optional operand.
std::vector<double> read_elements(const Tensor& tensor);
// values.size() == tensor.count(); integers are cut towards zero.
void write_elements(const Tensor& tensor, const std::vector<double>& values);
// One integer into any integer type, modulo its range.
void write_integer(const Tensor& tensor, int64_t index, int64_t value);

// dims = outer x size x inner where size is the product of axes [first, last).
struct AxisSplit {
  int64_t outer = 1, size = 1, inner = 1;
  AxisSplit(const Dims& dims, int64_t first, int64_t last);
};

}  // namespace narae
