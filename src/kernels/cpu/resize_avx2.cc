// SPDX-License-Identifier: Apache-2.0
// Resizing, avx2. The code is resize_impl.h.
#include "kernels/cpu/vec_avx2.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/resize_impl.h"

namespace narae::cpu {

constinit const ResizeKernels resize_kernels_avx2 = resize_here();

}  // namespace narae::cpu
