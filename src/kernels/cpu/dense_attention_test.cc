// SPDX-License-Identifier: Apache-2.0
// Dense attention against loops in double precision, on every instruction set: blocks smaller than the sizes, widths
// with tails, either order of keys and values, masks, rows of -inf, NaN.
#include "kernels/cpu/dense_attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/cpu/isa_test.h"

namespace narae::cpu {
namespace {

class DenseAttentionTest : public IsaTest {};

struct Case {
  int64_t queries, keys, width, value_width;
  bool turned;  // keys and values lie column by column
  bool masked;
};

constexpr float none = -std::numeric_limits<float>::infinity();

// [queries, keys], added to the scores: row 0 hides all, row 1 the first keys, others some.
std::vector<float> mask_of(const Case& c) {
  std::vector<float> mask(static_cast<size_t>(c.queries * c.keys), 0.f);
  for (int64_t i = 0; i < c.queries * c.keys; ++i) {
    const int64_t row = i / c.keys, key = i % c.keys;
    const bool hidden = row == 0 || (row == 1 ? key < c.keys - 1 : (row + key) % 3 == 0);
    mask[static_cast<size_t>(i)] = hidden ? none : 0.25f * static_cast<float>(key % 4);
  }
  return mask;
}

struct MaskCall {
  const float* mask;
  int64_t keys;
  static void run(void* context, const HotTile& t) {
    const auto& call = *static_cast<MaskCall*>(context);
    EXPECT_EQ(t.image, 5);
    for (int64_t r = 0; r < t.rows; ++r)
      for (int64_t n = 0; n < t.columns; ++n)
        t.data[r * t.row_stride + n] += call.mask[(t.row + r) * call.keys + t.column + n];
  }
};

std::vector<double> wanted_of(const Case& c, const DenseAttention& a, const std::vector<float>& q,
                              const std::vector<float>& k, const std::vector<float>& v,
                              const std::vector<float>& mask) {
  std::vector<double> wanted;
  for (int64_t m = 0; m < c.queries; ++m) {
    std::vector<double> p(static_cast<size_t>(c.keys));
    double high = none, sum = 0;
    for (int64_t n = 0; n < c.keys; ++n) {
      double x = 0;
      for (int64_t d = 0; d < c.width; ++d) x += double(q[m * a.q_row + d]) * k[n * a.k_row + d * a.k_column];
      p[n] = x * a.scale + (c.masked ? mask[m * c.keys + n] : 0.f);
      high = std::max(high, p[n]);
    }
    for (double& x : p) sum += x = std::exp(x - high);
    for (int64_t d = 0; d < c.value_width; ++d) {
      double y = 0;
      for (int64_t n = 0; n < c.keys; ++n) y += p[n] / sum * v[n * a.v_row + d * a.v_column];
      wanted.push_back(y);
    }
  }
  return wanted;
}

void check(const std::string& isa, const Case& c) {
  const BrgemmTiles& tiles = *brgemm_tiles(isa);
  const AttentionKernels& kernels = *attention_kernels(isa);
  Random random(5);
  DenseAttention a;
  a.queries = c.queries, a.keys = c.keys, a.width = c.width, a.value_width = c.value_width, a.scale = 0.7f;
  a.q_row = c.width + 3, a.out_row = c.value_width + 5;
  a.k_row = c.turned ? 1 : c.width + 2, a.k_column = c.turned ? c.keys + 1 : 1;
  a.v_row = c.turned ? 1 : c.value_width + 1, a.v_column = c.turned ? c.keys + 4 : 1;
  const std::vector<float> q = random.vector(c.queries * a.q_row);
  const std::vector<float> k = random.vector(c.turned ? c.width * a.k_column : c.keys * a.k_row);
  const std::vector<float> v = random.vector(c.turned ? c.value_width * a.v_column : c.keys * a.v_row);
  const std::vector<float> mask = mask_of(c);
  const std::vector<double> wanted = wanted_of(c, a, q, k, v, mask);
  for (const CacheSizes& caches : {CacheSizes{}, CacheSizes{4 << 10, 16 << 10}}) {
    for (const DenseAttentionConfig& config : dense_attention_configs(a, tiles, caches)) {
      const int64_t half = c.queries / 2;
      std::vector<float> out(static_cast<size_t>(c.queries * a.out_row), -7.f);
      std::vector<float> scratch(
          static_cast<size_t>(dense_attention_scratch(a, config, tiles, std::max(half, c.queries - half))), NAN);
      MaskCall call{mask.data(), c.keys};
      GemmEpilogue epilogue;
      if (c.masked) epilogue.after = {MaskCall::run, &call};
      for (const auto& [begin, end] : {std::pair{half, c.queries}, std::pair{int64_t{0}, half}}) {
        dense_attention_run(tiles, kernels, a, config, q.data(), k.data(), v.data(), out.data(), epilogue, 5,
                            scratch.data(), begin, end);
      }
      for (int64_t m = 0; m < c.queries; ++m) {
        for (int64_t d = 0; d < a.out_row; ++d) {
          const float got = out[m * a.out_row + d];
          if (d >= c.value_width) {
            ASSERT_EQ(got, -7.f) << "wrote beyond a row";
          } else if (const double want = wanted[m * c.value_width + d]; std::isnan(want)) {
            ASSERT_TRUE(std::isnan(got)) << "row " << m;
          } else {
            ASSERT_NEAR(got, want, 1e-5) << c.queries << "x" << c.keys << "x" << c.width << "x" << c.value_width
                                         << " at " << m << "," << d << " keys " << config.keys;
          }
        }
      }
    }
  }
}

TEST_P(DenseAttentionTest, AgreesWithItsDefinition) {
  for (const bool masked : {false, true}) {
    for (const bool turned : {false, true}) {
      for (const auto& [queries, keys] : {std::pair<int64_t, int64_t>{1, 1}, {1, 40}, {7, 3}, {33, 65}, {130, 129}}) {
        check(GetParam(), {queries, keys, 64, 64, turned, masked});
        check(GetParam(), {queries, keys, 19, 37, turned, masked});
      }
      check(GetParam(), {3, 600, 32, 1, turned, masked});
    }
  }
}

TEST_P(DenseAttentionTest, NanInOneQueryStaysInItsRow) {
  DenseAttention a;
  a.queries = 3, a.keys = 70, a.width = 4, a.value_width = 4;
  a.q_row = a.k_row = a.v_row = a.out_row = 4;
  std::vector<float> q(12, 1.f), out(12);
  q[5] = NAN;
  const std::vector<float> kv(280, 0.5f);
  const BrgemmTiles& tiles = *brgemm_tiles(GetParam());
  DenseAttentionConfig config = dense_attention_configs(a, tiles, {}).front();
  config.keys = static_cast<int64_t>(config.score_vectors) * tiles.lanes;  // several blocks
  std::vector<float> scratch(static_cast<size_t>(dense_attention_scratch(a, config, tiles, 3)));
  dense_attention_run(tiles, *attention_kernels(GetParam()), a, config, q.data(), kv.data(), kv.data(), out.data(), {},
                      0, scratch.data(), 0, 3);
  for (size_t i = 0; i < 12; ++i) {
    if (i / 4 == 1) {
      EXPECT_TRUE(std::isnan(out[i]));
    } else {
      EXPECT_NEAR(out[i], 0.5f, 1e-6);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, DenseAttentionTest, testing::Values("portable", "avx2", "avx512"), isa_name);

}  // namespace
}  // namespace narae::cpu
