// SPDX-License-Identifier: Apache-2.0
// Quantising rows, avx512. The code is quantize_impl.h.
#include "kernels/cpu/vec_avx512.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/quantize_impl.h"

namespace narae::cpu {

constinit const QuantizeKernels quantize_kernels_avx512 = quantize_here();

}  // namespace narae::cpu
