// SPDX-License-Identifier: Apache-2.0
// Layout reorders and strided copies, portable. The code is reorder_impl.h.
#include "kernels/cpu/vec_portable.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/reorder_impl.h"

namespace narae::cpu {

constinit const ReorderKernels reorder_kernels_portable = reorder_here();

}  // namespace narae::cpu
