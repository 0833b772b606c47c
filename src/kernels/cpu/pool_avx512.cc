// SPDX-License-Identifier: Apache-2.0
// Pooling, avx512. The code is pool_impl.h.
#include "kernels/cpu/vec_avx512.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/pool_impl.h"

namespace narae::cpu {

constinit const PoolKernels pool_kernels_avx512 = pool_here();

}  // namespace narae::cpu
