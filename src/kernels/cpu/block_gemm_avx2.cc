// SPDX-License-Identifier: Apache-2.0
// Products with blocks, avx2. The code is block_gemm_impl.h.
#include "kernels/cpu/vec_avx2.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/block_form.h"

namespace narae::cpu {
namespace {

constexpr int max_tile_rows = 4;

// Sums of integers may be reordered, and a compiler that does so runs out of registers: here they may not.
NARAE_INLINE void in_order(Vi& a) { asm("" : "+x"(a.v)); }
NARAE_INLINE Vi add_halves(Vi a, Vi b) { return {_mm256_add_epi16(a.v, b.v)}; }
NARAE_INLINE Vi byte_pairs(Vi w, Vi a) { return {_mm256_maddubs_epi16(w.v, a.v)}; }
NARAE_INLINE Vi half_pairs(Vi a) { return {_mm256_madd_epi16(a.v, _mm256_set1_epi16(1))}; }
// As byte_pairs of w - 128 and a, which does not saturate.
NARAE_INLINE Vi signed_pairs(Vi w, Vi a) {
  const __m256i s = _mm256_xor_si256(w.v, _mm256_set1_epi8(-128));
  return {_mm256_maddubs_epi16(_mm256_abs_epi8(s), _mm256_sign_epi8(a.v, s))};
}

}  // namespace
}  // namespace narae::cpu

#include "kernels/cpu/block_group_pairs.h"
// Sums by pairs come before the kernels.
#include "kernels/cpu/block_gemm_impl.h"

namespace narae::cpu {

constinit const BlockGemmKernels block_gemm_avx2 = all_block_kernels;

}  // namespace narae::cpu
