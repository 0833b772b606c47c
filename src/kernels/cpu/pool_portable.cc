// SPDX-License-Identifier: Apache-2.0
// Pooling, portable. The code is pool_impl.h.
#include "kernels/cpu/vec_portable.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/pool_impl.h"

namespace narae::cpu {

constinit const PoolKernels pool_kernels_portable = pool_here();

}  // namespace narae::cpu
