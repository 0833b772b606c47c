// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution, avx512. The code is dwconv_impl.h.
#include "kernels/cpu/vec_avx512.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/dwconv_impl.h"

namespace narae::cpu {

constinit const DwconvKernels dwconv_kernels_avx512 = dwconv_here();

}  // namespace narae::cpu
