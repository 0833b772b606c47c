// SPDX-License-Identifier: Apache-2.0
// Packing, GEMM and batched GEMM against double-precision loops, on every instruction set and every listed config, with
// the tasks handed out in two ranges.
#include "kernels/cpu/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/cpu/isa_test.h"
#include "kernels/cpu/pack.h"

namespace narae::cpu {
namespace {

class Gemm : public IsaTest {};

constexpr CacheSizes small_caches{4 << 10, 16 << 10};  // forces blocking on small shapes

void triple(void*, const HotTile& t) {
  for (int64_t r = 0; r < t.rows; ++r)
    for (int64_t n = 0; n < t.columns; ++n) t.data[r * t.row_stride + n] *= 3.f;
}

void check_gemm(const std::string& isa, const GemmShape& s, bool b_transposed, bool epilogue) {
  const BrgemmTiles& tiles = *brgemm_tiles(isa);
  Random random(7);
  const int64_t lda = s.k + 2, ldc = s.n + 1, ldb = (b_transposed ? s.k : s.n) + 1;
  const std::vector<float> a = random.vector(s.m * lda), b = random.vector((b_transposed ? s.n : s.k) * ldb + 1);
  const std::vector<float> bias = random.vector(s.n), residual = random.vector(s.m * ldc);
  for (const CacheSizes& caches : {CacheSizes{}, small_caches}) {
    for (GemmConfig config : gemm_configs(s, tiles, caches, 2)) {
      for (const bool copy : {false, true}) {
        config.copy_a = copy;
        config.kc = copy && s.k > 4 ? s.k / 2 + 1 : config.kc;
        const int nr = config.nv * tiles.lanes;
        std::vector<float> packed(packed_b_size(s.k, s.n, tiles.lanes) + 1), scratch(gemm_scratch(s, config) + 1);
        pack_b(b.data(), ldb, b_transposed, s.k, s.n, nr, tiles.lanes, 1.f, 0, ceil_div(s.n, nr), packed.data());
        std::vector<float> c(s.m * ldc, -7.f);
        GemmEpilogue e;
        if (epilogue) {
          e.bias = bias.data(), e.residual = residual.data(), e.ldr = ldc, e.act = Act::relu, e.after.run = triple;
        }
        const int64_t tasks = gemm_tasks(s, config);
        gemm_run(tiles, s, config, a.data(), lda, packed.data(), c.data(), ldc, e, scratch.data(), tasks / 2, tasks);
        gemm_run(tiles, s, config, a.data(), lda, packed.data(), c.data(), ldc, e, scratch.data(), 0, tasks / 2);
        for (int64_t m = 0; m < s.m; ++m) {
          for (int64_t n = 0; n < s.n; ++n) {
            double x = 0;
            for (int64_t k = 0; k < s.k; ++k)
              x += double(a[m * lda + k]) * (b_transposed ? b[n * ldb + k] : b[k * ldb + n]);
            if (epilogue) x = 3 * std::max(0.0, x + bias[n] + residual[m * ldc + n]);
            ASSERT_NEAR(c[m * ldc + n], x, 2e-4) << s.m << "x" << s.n << "x" << s.k << " at " << m << "," << n << " nv "
                                                 << config.nv << " kc " << config.kc << " mc " << config.mc;
          }
          ASSERT_EQ(c[m * ldc + s.n], -7.f) << "wrote beyond a row";
        }
      }
    }
  }
}

TEST_P(Gemm, matches_double_precision) {
  check_gemm(GetParam(), {1, 37, 50}, true, true);
  check_gemm(GetParam(), {3, 64, 129}, false, true);
  check_gemm(GetParam(), {17, 33, 40}, false, false);
  check_gemm(GetParam(), {64, 96, 300}, true, true);
  check_gemm(GetParam(), {50, 5, 3}, true, false);
  check_gemm(GetParam(), {2, 8, 0}, false, true);
}

void check_batched(const std::string& isa, BatchedGemm g) {
  const BrgemmTiles& tiles = *brgemm_tiles(isa);
  const GemmShape& s = g.shape;
  // Heads lie inside a row, as in [token, head, channel].
  const int64_t a_cols = g.a_transposed ? s.m : s.k, a_rows = g.a_transposed ? s.k : s.m;
  const int64_t b_cols = g.b_transposed ? s.k : s.n, b_rows = g.b_transposed ? s.n : s.k;
  g.lda = a_cols * g.inner, g.ldb = b_cols, g.ldc = s.n * g.inner;
  g.a_stride[0] = a_rows * g.lda, g.a_stride[1] = a_cols;
  g.b_stride[0] = b_rows * b_cols, g.b_stride[1] = 0;  // shared by the inner products
  g.c_stride[0] = s.m * g.ldc, g.c_stride[1] = s.n;
  Random random(11);
  const std::vector<float> a = random.vector(g.outer * g.a_stride[0]), b = random.vector(g.outer * g.b_stride[0]);
  for (const CacheSizes& caches : {CacheSizes{}, small_caches}) {
    for (const GemmConfig& config : batched_gemm_configs(g, tiles, caches, 2)) {
      std::vector<float> c(g.outer * g.c_stride[0], -7.f);
      std::vector<float> scratch(batched_gemm_scratch(g, config, tiles.lanes));
      const int64_t tasks = batched_gemm_tasks(g, config), middle = (tasks + 1) / 2;
      GemmEpilogue e;
      e.after.run = triple;
      batched_gemm_run(tiles, g, config, a.data(), b.data(), c.data(), e, scratch.data(), 0, middle);
      batched_gemm_run(tiles, g, config, a.data(), b.data(), c.data(), e, scratch.data(), middle, tasks);
      for (int64_t o = 0; o < g.outer; ++o) {
        for (int64_t i = 0; i < g.inner; ++i) {
          for (int64_t m = 0; m < s.m; ++m) {
            for (int64_t n = 0; n < s.n; ++n) {
              double x = 0;
              for (int64_t k = 0; k < s.k; ++k) {
                const int64_t at =
                    o * g.a_stride[0] + i * g.a_stride[1] + (g.a_transposed ? k * g.lda + m : m * g.lda + k);
                x += double(a[at]) * b[o * g.b_stride[0] + (g.b_transposed ? n * g.ldb + k : k * g.ldb + n)];
              }
              ASSERT_NEAR(c[o * g.c_stride[0] + i * g.c_stride[1] + m * g.ldc + n], 3 * x * g.scale, 2e-4)
                  << o << "," << i << "," << m << "," << n << " nv " << config.nv << " nc " << config.nc;
            }
          }
        }
      }
    }
  }
}

TEST_P(Gemm, batched_matches_double_precision) {
  BatchedGemm g;
  g.outer = 2, g.inner = 3, g.scale = 0.25f;
  for (const GemmShape& s : {GemmShape{20, 35, 16}, GemmShape{1, 7, 33}, GemmShape{33, 70, 64}}) {
    g.shape = s;
    for (const bool at : {false, true}) {
      for (const bool bt : {false, true}) {
        g.a_transposed = at, g.b_transposed = bt;
        check_batched(GetParam(), g);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Gemm, testing::ValuesIn(known_isas()), isa_name);

TEST(Pack, transpose_of_any_size) {
  Random random(3);
  for (int64_t rows : {1, 4, 7}) {
    for (int64_t columns : {1, 5, 8}) {
      const std::vector<float> in = random.vector(rows * (columns + 1));
      std::vector<float> out(columns * (rows + 2), -1.f);
      transpose(in.data(), columns + 1, rows, columns, out.data(), rows + 2);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c) ASSERT_EQ(out[c * (rows + 2) + r], in[r * (columns + 1) + c]);
    }
  }
}

TEST(Pack, convolution_weights_are_blocked_and_padded) {
  const ConvWeights w{2, 20, 11, 3, 2};
  const int64_t taps[] = {5, 1, 2};
  Random random(5);
  const std::vector<float> in = random.vector(w.groups * w.oc * w.ic * w.kh * w.kw);
  const int lanes = 8, nr = 16;
  std::vector<float> out(packed_taps_size(w, 3, lanes));
  ASSERT_EQ(static_cast<int64_t>(out.size()), 2 * 24 * 16 * 3);
  pack_taps(w, in.data(), taps, 3, nr, lanes, out.data());
  int64_t at = 0;
  for (int64_t g = 0; g < w.groups; ++g)
    for (int64_t first = 0; first < 24; first += nr)
      for (int64_t ib = 0; ib < 2; ++ib)
        for (int64_t t = 0; t < 3; ++t)
          for (int64_t i = 0; i < lanes; ++i)
            for (int64_t o = first; o < std::min<int64_t>(first + nr, 24); ++o, ++at) {
              const int64_t c = ib * lanes + i;
              const float expected = o < w.oc && c < w.ic ? in[((g * w.oc + o) * w.ic + c) * 6 + taps[t]] : 0.f;
              ASSERT_EQ(out[at], expected) << at;
            }
}

}  // namespace
}  // namespace narae::cpu
