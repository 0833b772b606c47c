// SPDX-License-Identifier: Apache-2.0
// How far two tensors are apart.
#pragma once

#include <string>

#include "tensor/tensor.h"

namespace narae {

struct Difference {
  // |got - want| / |want| in the Euclidean norm; |got| where want is all zeros. `apart` when shapes differ or one has a
  // NaN or infinity the other has not.
  double rel_l2 = 0;
  double max_abs = 0;
  std::string note;  // why they cannot be compared by numbers; empty else
  static constexpr double apart = 1e30;
};
Difference difference(const Tensor& got, const Tensor& want);

}  // namespace narae
