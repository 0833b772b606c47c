// SPDX-License-Identifier: Apache-2.0
// The choice of resize kernels by instruction set.
#include "kernels/cpu/resize.h"

namespace narae::cpu {

const ResizeKernels* resize_kernels(std::string_view isa) {
  if (isa == "avx512" || isa == "avx512_vnni") return &resize_kernels_avx512;
  if (isa == "avx2") return &resize_kernels_avx2;
  return isa == "portable" ? &resize_kernels_portable : nullptr;
}

}  // namespace narae::cpu
