// SPDX-License-Identifier: Apache-2.0
// ONNX's rules for sizes in Dims: what is negative counts from the end, 0 copies, -1 is inferred. An operand that comes
// from a graph input has a sign known only at run time, so the rules are written without branches.
#pragma once

#include <vector>

#include "tensor/dim.h"

namespace narae::onnx {

// The result shape of Reshape. Throws Error bad_file for two -1, and for sizes that cannot be equal.
Shape reshaped(const Shape& from, const std::vector<Dim>& target, bool zero_is_zero);

struct SliceRange {
  Dim start, length;
};
// numpy's start:end:step on an axis of `size`.
SliceRange slice_range(const Dim& start, const Dim& end, int64_t step, const Dim& size);

// `at` counted from the end of `size` where it is negative.
Dim from_end(const Dim& at, const Dim& size);

// Output size of a window that slides over `size` padded elements.
Dim window_count(const Dim& padded, int64_t kernel, int64_t stride, int64_t dilation, bool ceil_mode);

}  // namespace narae::onnx
