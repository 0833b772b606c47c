// SPDX-License-Identifier: Apache-2.0
// Pooling, avx2. The code is pool_impl.h.
#include "kernels/cpu/vec_avx2.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/pool_impl.h"

namespace narae::cpu {

constinit const PoolKernels pool_kernels_avx2 = pool_here();

}  // namespace narae::cpu
