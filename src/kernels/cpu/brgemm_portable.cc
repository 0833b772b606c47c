// SPDX-License-Identifier: Apache-2.0
// Batch-reduce GEMM tiles in plain C++ for processors without a written instruction set. Vectors are 8 floats so that
// it shares the layouts of the narrower written one. Speed is not its aim.
#include "kernels/cpu/brgemm.h"
#include "kernels/cpu/peaks.h"

namespace narae::cpu {
namespace {

constexpr int lanes = 8;

float activate(float x, const BrgemmArgs& args) {
  switch (args.act) {
    case Act::none: return x;
    case Act::relu: return x > 0.f ? x : 0.f;
    case Act::clip: return x < args.lo ? args.lo : x > args.hi ? args.hi : x;
    case Act::hard_swish: {
      const float gate = x / 6.f + 0.5f;
      return x * (gate < 0.f ? 0.f : gate > 1.f ? 1.f : gate);
    }
    case Act::leaky: return x > 0.f ? x : args.lo * x;
  }
  return x;
}

template <int NV>
void row(const BrgemmArgs& args, int64_t m) {
  float sum[NV * lanes] = {};
  for (int64_t i = 0; i < args.batch; ++i) {
    const float* a = args.a + (args.a_offsets ? args.a_offsets[i] : i * args.a_stride) + m * args.lda;
    const float* b = args.b + i * args.b_stride;
    const int64_t depth = i < args.batch - args.short_items ? args.k : args.k_short;
    for (int64_t k = 0; k < depth; ++k, b += NV * lanes)
      for (int n = 0; n < NV * lanes; ++n) sum[n] += a[k] * b[n];
  }
  const int columns = args.tail ? (NV - 1) * lanes + args.tail : NV * lanes;
  for (int n = 0; n < columns; ++n) {
    const int64_t at = m * args.ldc + (n / lanes) * args.c_vec_stride + n % lanes;
    float x = sum[n];
    if (args.accumulate) x += args.c[at];
    if (args.bias) x += args.bias[n];
    if (args.residual) x += args.residual[m * args.ldr + (n / lanes) * args.r_vec_stride + n % lanes];
    args.c[at] = activate(x, args);
  }
}

template <int M, int NV>
void run(const BrgemmArgs& args) {
  for (int64_t m = 0; m < M; ++m) row<NV>(args, m);
}

constexpr BrgemmTiles make_tiles() {
  BrgemmTiles t;
  t.lanes = lanes;
  t.registers = 16;
  t.max_vectors = 2;
  for (int& rows : t.max_rows) rows = 0;
  t.max_rows[0] = t.max_rows[1] = 4;
  t.tile[0][0] = run<1, 1>, t.tile[0][1] = run<2, 1>, t.tile[0][2] = run<3, 1>, t.tile[0][3] = run<4, 1>;
  t.tile[1][0] = run<1, 2>, t.tile[1][1] = run<2, 2>, t.tile[1][2] = run<3, 2>, t.tile[1][3] = run<4, 2>;
  t.multiply_add_peak = peak_fma_portable;
  return t;
}

}  // namespace

constexpr BrgemmTiles brgemm_tiles_portable = make_tiles();

const BrgemmTiles* brgemm_tiles(std::string_view isa) {
  if (isa == "portable") return &brgemm_tiles_portable;
#if defined(__x86_64__)
  if (isa == "avx2") return &brgemm_tiles_avx2;
  if (isa == "avx512" || isa == "avx512_vnni") return &brgemm_tiles_avx512;
#endif
  return nullptr;
}

}  // namespace narae::cpu
