// SPDX-License-Identifier: Apache-2.0
// Products with blocks, avx512_vnni: one instruction adds the products of four bytes. The code is block_gemm_impl.h.
#include "kernels/cpu/vec_avx512.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/block_form.h"

namespace narae::cpu {
namespace {

constexpr int max_tile_rows = 12;

template <int Rows, BlockFormat Format>
struct GroupSums {
  Vi sums[Rows];
  NARAE_INLINE void start(int row, int32_t offset) { sums[row] = splat_int(offset); }
  NARAE_INLINE void add(int row, Vi w, int32_t a) {
    sums[row].v = _mm512_dpbusd_epi32(sums[row].v, w.v, _mm512_set1_epi32(a));
  }
  NARAE_INLINE Vi sum(int row) const { return sums[row]; }
};

}  // namespace
}  // namespace narae::cpu

#include "kernels/cpu/block_gemm_impl.h"

namespace narae::cpu {

constinit const BlockGemmKernels block_gemm_avx512_vnni = all_block_kernels;

}  // namespace narae::cpu
