// SPDX-License-Identifier: Apache-2.0
// Reductions, softmax and norms, portable. The code is reduce_impl.h.
#include "kernels/cpu/vec_portable.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/reduce_impl.h"

namespace narae::cpu {

constinit const ReduceKernels reduce_kernels_portable = reduce_here();

}  // namespace narae::cpu
