// SPDX-License-Identifier: Apache-2.0
// The choice of quantising kernels by instruction set.
#include "kernels/cpu/quantize.h"

namespace narae::cpu {

const QuantizeKernels* quantize_kernels(std::string_view isa) {
  if (isa == "avx512" || isa == "avx512_vnni") return &quantize_kernels_avx512;
  if (isa == "avx2") return &quantize_kernels_avx2;
  return isa == "portable" ? &quantize_kernels_portable : nullptr;
}

}  // namespace narae::cpu
