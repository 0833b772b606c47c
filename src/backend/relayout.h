// SPDX-License-Identifier: Apache-2.0
// Values from one Layout to another on the host, by plain loops: for constants at load, for the checking device, for
// tests. Padding lanes of the result are zero.
#pragma once

#include "tensor/layout.h"
#include "tensor/tensor.h"

namespace narae {

// Elements between neighbours along each axis; along the blocked one, between blocks.
Dims layout_strides(const Layout& layout, const Dims& dims);
void relayout(DType dtype, const Dims& dims, const void* from, const Layout& from_layout, void* to,
              const Layout& to_layout);
// A plain tensor as the bytes of another layout: its dims are one flat axis.
Tensor relayout(const Tensor& plain, const Layout& to);

}  // namespace narae
