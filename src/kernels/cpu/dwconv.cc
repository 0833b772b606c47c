// SPDX-License-Identifier: Apache-2.0
// Packing of depthwise weights and the choice by instruction set.
#include "kernels/cpu/dwconv.h"

namespace narae::cpu {

bool is_depthwise(const ConvShape& s) {
  return !s.transposed && !s.plain_input && s.groups == s.ic && s.groups == s.oc;
}

void dwconv_pack_weights(const ConvShape& s, int64_t block, const float* weights, float* out) {
  const int64_t taps = s.kh * s.kw;
  for (int64_t c0 = 0; c0 < s.oc; c0 += block)
    for (int64_t tap = 0; tap < taps; tap++)
      for (int64_t c = c0; c < c0 + block; c++) *out++ = c < s.oc ? weights[c * taps + tap] : 0.0f;
}

const DwconvKernels* dwconv_kernels(std::string_view isa) {
  if (isa == "avx512" || isa == "avx512_vnni") return &dwconv_kernels_avx512;
  if (isa == "avx2") return &dwconv_kernels_avx2;
  return isa == "portable" ? &dwconv_kernels_portable : nullptr;
}

}  // namespace narae::cpu
