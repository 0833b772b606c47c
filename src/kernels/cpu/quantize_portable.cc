// SPDX-License-Identifier: Apache-2.0
// Quantising rows, portable. The code is quantize_impl.h.
#include "kernels/cpu/vec_portable.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/quantize_impl.h"

namespace narae::cpu {

constinit const QuantizeKernels quantize_kernels_portable = quantize_here();

}  // namespace narae::cpu
