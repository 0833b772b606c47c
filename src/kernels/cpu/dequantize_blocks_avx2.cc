// SPDX-License-Identifier: Apache-2.0
// Blocks to f32, avx2. The code is dequantize_blocks_impl.h.
#include "kernels/cpu/dequantize_blocks_impl.h"

namespace narae::cpu {

constinit const DequantizeKernels dequantize_kernels_avx2 = {&decode_blocks};

}  // namespace narae::cpu
