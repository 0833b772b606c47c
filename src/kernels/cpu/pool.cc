// SPDX-License-Identifier: Apache-2.0
// Scratch of plain pooling and the choice by instruction set.
#include "kernels/cpu/pool.h"

namespace narae::cpu {

int64_t pool_scratch(const PoolShape& s) {
  // One row with the padding that windows reach on either side, and room for a whole vector behind it.
  const int64_t reach = (s.ow - 1) * s.stride_w + (s.kw - 1) * s.dilation_w + 1;
  return (reach > s.iw + s.pad_left ? reach : s.iw + s.pad_left) + 32;
}

const PoolKernels* pool_kernels(std::string_view isa) {
  if (isa == "avx512" || isa == "avx512_vnni") return &pool_kernels_avx512;
  if (isa == "avx2") return &pool_kernels_avx2;
  return isa == "portable" ? &pool_kernels_portable : nullptr;
}

}  // namespace narae::cpu
