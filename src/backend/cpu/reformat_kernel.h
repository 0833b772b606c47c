// SPDX-License-Identifier: Apache-2.0
// A value from one Layout to another. Padding lanes of the result are zero.
#pragma once

#include <memory>

#include "backend/cpu/cpu_kernel.h"
#include "kernels/cpu/reorder.h"
#include "tensor/layout.h"

namespace narae::cpu {

// Operands: the value in `from`, the value in `to`. Both are plain or blocked on the same axis.
std::unique_ptr<CpuKernel> make_reformat_kernel(int threads, const ReorderKernels& kernels, DType dtype,
                                                const Dims& dims, const Layout& from, const Layout& to);

}  // namespace narae::cpu
