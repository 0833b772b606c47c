// SPDX-License-Identifier: Apache-2.0
// Which reductions serve which instruction set.
#include "kernels/cpu/reduce.h"

namespace narae::cpu {

const ReduceKernels* reduce_kernels(std::string_view isa) {
  if (isa == "avx512" || isa == "avx512_vnni") return &reduce_kernels_avx512;
  if (isa == "avx2") return &reduce_kernels_avx2;
  return isa == "portable" ? &reduce_kernels_portable : nullptr;
}

}  // namespace narae::cpu
