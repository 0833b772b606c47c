// SPDX-License-Identifier: Apache-2.0
// Every tile of every instruction set against a double-precision loop: heights, vectors, strided and listed A, K that
// is no multiple of the unrolling, narrow last vectors, blocked C, accumulation and epilogues.
#include "kernels/cpu/brgemm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cpu/isa_test.h"

namespace narae::cpu {
namespace {

struct Case {
  int64_t k = 16, batch = 1;
  bool listed = false, blocked = false, accumulate = false, bias = false, residual = false;
  int tail = 0;
  int64_t short_items = 0, k_short = 0;
  Act act = Act::none;
};

double activated(double x, Act act, double lo, double hi) {
  switch (act) {
    case Act::none: return x;
    case Act::relu: return std::max(x, 0.0);
    case Act::clip: return std::min(std::max(x, lo), hi);
    case Act::hard_swish: return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0);
    case Act::leaky: return x > 0 ? x : lo * x;
  }
  return x;
}

void check_tile(const BrgemmTiles& tiles, int m, int nv, const Case& t) {
  const int L = tiles.lanes;
  const int columns = t.tail ? (nv - 1) * L + t.tail : nv * L;
  Random random(static_cast<uint32_t>(m * 131 + nv * 17 + t.k));
  const int64_t lda = t.k + 3, a_stride = lda * m + 5, b_stride = t.k * nv * L + 8;
  const std::vector<float> a = random.vector(t.batch * a_stride), b = random.vector(t.batch * b_stride);
  const std::vector<float> bias = random.vector(columns);
  std::vector<int64_t> offsets;
  for (int64_t i = 0; i < t.batch; ++i) offsets.push_back((t.batch - 1 - i) * a_stride);
  const int64_t ldc = t.blocked ? L : columns + 3, vec = t.blocked ? (m + 1) * L : L;
  const int64_t size = t.blocked ? nv * vec : m * ldc;
  const int64_t ldr = ldc + 2, r_vec = vec + 2 * m;
  std::vector<float> c = random.vector(size), residual = random.vector(nv * r_vec + m * ldr), before = c;
  BrgemmArgs args;
  args.a = a.data(), args.a_offsets = t.listed ? offsets.data() : nullptr, args.a_stride = a_stride, args.lda = lda;
  args.b = b.data(), args.b_stride = b_stride, args.batch = t.batch, args.k = t.k;
  args.short_items = t.short_items, args.k_short = t.k_short;
  args.c = c.data(), args.ldc = ldc, args.c_vec_stride = vec, args.accumulate = t.accumulate, args.tail = t.tail;
  args.bias = t.bias ? bias.data() : nullptr, args.residual = t.residual ? residual.data() : nullptr;
  args.ldr = ldr, args.r_vec_stride = r_vec;
  args.act = t.act, args.lo = t.act == Act::leaky ? 0.1f : -0.5f, args.hi = 0.75f;
  tiles.run(m, nv, args);
  std::vector<bool> written(size, false);
  for (int64_t r = 0; r < m; ++r) {
    for (int64_t n = 0; n < columns; ++n) {
      double sum = 0;
      for (int64_t i = 0; i < t.batch; ++i)
        for (int64_t k = 0; k < (i < t.batch - t.short_items ? t.k : t.k_short); ++k)
          sum += double(a[(t.listed ? offsets[i] : i * a_stride) + r * lda + k]) * b[i * b_stride + k * nv * L + n];
      const int64_t at = r * ldc + n / L * vec + n % L;
      if (t.accumulate) sum += before[at];
      if (t.bias) sum += bias[n];
      if (t.residual) sum += residual[r * ldr + n / L * r_vec + n % L];
      ASSERT_NEAR(c[at], activated(sum, t.act, args.lo, args.hi), 1e-4)
          << m << "x" << nv << " row " << r << " col " << n;
      written[at] = true;
    }
  }
  for (int64_t i = 0; i < size; ++i) {
    if (!written[i]) {
      ASSERT_EQ(c[i], before[i]) << "wrote outside of C at " << i;
    }
  }
}

class Brgemm : public IsaTest {};

TEST_P(Brgemm, every_tile) {
  const BrgemmTiles& tiles = *brgemm_tiles(GetParam());
  for (int nv = 1; nv <= tiles.max_vectors; ++nv) {
    for (int m = 1; m <= tiles.max_rows[nv - 1]; ++m) {
      check_tile(tiles, m, nv, {.k = 16, .batch = 3, .listed = true, .blocked = true, .bias = true, .act = Act::relu});
      check_tile(tiles, m, nv, {.k = 7, .batch = 2, .accumulate = true, .residual = true, .tail = 3});
      check_tile(tiles, m, nv, {.k = 33, .bias = true, .residual = true, .act = Act::clip});
      check_tile(tiles, m, nv, {.k = 1, .bias = true, .tail = 1, .act = Act::hard_swish});
      check_tile(tiles, m, nv, {.k = 8, .batch = 4, .listed = true, .short_items = 2, .k_short = 5});
      check_tile(tiles, m, nv, {.k = 6, .blocked = true, .act = Act::leaky});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Brgemm, testing::ValuesIn(known_isas()), isa_name);

TEST(RowSplit, is_even_and_complete) {
  for (int64_t rows = 1; rows < 100; ++rows) {
    const RowSplit s = split_rows(rows, 14);
    EXPECT_EQ(s.tiles * s.base + s.extra, rows);
    EXPECT_LE(s.base + (s.extra > 0), 14);
    EXPECT_LT(s.extra, s.tiles);
  }
}

}  // namespace
}  // namespace narae::cpu
