// SPDX-License-Identifier: Apache-2.0
// The choice by instruction set.
#include "kernels/cpu/dequantize_blocks.h"

namespace narae::cpu {

const DequantizeKernels* dequantize_kernels(std::string_view isa) {
  // Memory holds it up long before wider vectors would help.
  if (isa == "avx2" || isa == "avx512" || isa == "avx512_vnni") return &dequantize_kernels_avx2;
  return isa == "portable" ? &dequantize_kernels_portable : nullptr;
}

}  // namespace narae::cpu
