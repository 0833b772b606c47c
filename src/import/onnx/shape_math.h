// SPDX-License-Identifier: Apache-2.0
// ONNX's rules for sizes in Dims: what is negative counts from the end, 0 copies, -1 is inferred. An operand that comes
// from a graph input has a sign known only at run time, so the rules are written without branches.
#pragma once

#include <vector>

#include "tensor/dim.h"

namespace narae::onnx {

// The result shape of Reshape. Throws Error bad_file for two -1, and for sizes that cannot be equal.
Shape reshaped(const Shape& from, const std::vector<Dim>& target, bool zero_is_zero);

// Elements of start, start + delta, ... before limit, whatever the sign of delta.
Dim range_count(const Dim& start, const Dim& limit, const Dim& delta);

}  // namespace narae::onnx
