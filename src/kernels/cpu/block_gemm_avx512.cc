// SPDX-License-Identifier: Apache-2.0
// Products with blocks, avx512 without byte dot products. The code is block_gemm_impl.h.
#include "kernels/cpu/vec_avx512.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/block_form.h"

namespace narae::cpu {
namespace {

constexpr int max_tile_rows = 12;

// Sums of integers may be reordered, and a compiler that does so runs out of registers: here they may not.
NARAE_INLINE void in_order(Vi& a) { asm("" : "+v"(a.v)); }
NARAE_INLINE Vi add_halves(Vi a, Vi b) { return {_mm512_add_epi16(a.v, b.v)}; }
NARAE_INLINE Vi byte_pairs(Vi w, Vi a) { return {_mm512_maddubs_epi16(w.v, a.v)}; }
NARAE_INLINE Vi half_pairs(Vi a) { return {_mm512_madd_epi16(a.v, _mm512_set1_epi16(1))}; }
// As byte_pairs of w - 128 and a, which does not saturate.
NARAE_INLINE Vi signed_pairs(Vi w, Vi a) {
  const __m512i s = _mm512_xor_si512(w.v, _mm512_set1_epi8(-128));
  const __m512i turned = _mm512_mask_sub_epi8(a.v, _mm512_movepi8_mask(s), _mm512_setzero_si512(), a.v);
  return {_mm512_maddubs_epi16(_mm512_abs_epi8(s), turned)};
}

}  // namespace
}  // namespace narae::cpu

#include "kernels/cpu/block_group_pairs.h"
// Sums by pairs come before the kernels.
#include "kernels/cpu/block_gemm_impl.h"

namespace narae::cpu {

constinit const BlockGemmKernels block_gemm_avx512 = all_block_kernels;

}  // namespace narae::cpu
