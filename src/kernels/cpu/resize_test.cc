// SPDX-License-Identifier: Apache-2.0
// Nearest, linear and four-tap tables on both layouts against a double-precision sum; casts against their formulas.
#include "kernels/cpu/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/cast.h"
#include "kernels/cpu/isa_test.h"

namespace narae::cpu {
namespace {

class Resize : public IsaTest {
 protected:
  const ResizeKernels& kernels() { return *resize_kernels(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Isa, Resize, testing::ValuesIn(known_isas()), isa_name);

struct Table {
  ResizeAxis axis;
  std::vector<int64_t> places;
  std::vector<float> weights;

  Table(int64_t in, int64_t out, int64_t taps, bool weighted) {
    Random random(static_cast<uint32_t>(in + out));
    for (int64_t o = 0; o < out; o++)
      for (int64_t t = 0; t < taps; t++) {
        places.push_back(std::clamp<int64_t>(o * in / out + t - taps / 2, 0, in - 1));
        weights.push_back(random.value());
      }
    axis = {in, out, taps, places.data(), weighted ? weights.data() : nullptr};
  }
};

TEST_P(Resize, TablesOnBothLayouts) {
  const int64_t b = kernels().block;
  const int64_t sizes[][4] = {{5, 7, 10, 14}, {9, 33, 4, 20}, {1, 1, 3, 5}, {6, 20, 6, 40}};
  for (const auto& size : sizes)
    for (int64_t taps : {1, 2, 4})
      for (bool weighted : {false, true}) {
        if (taps > 1 && !weighted) continue;
        const int64_t n = 2, c = b + 3, blocks = 2;
        const Table rows(size[0], size[2], taps, weighted), columns(size[1], size[3], taps, weighted);
        const int64_t in = size[0] * size[1], out = size[2] * size[3];
        Random random(4);
        const std::vector<float> x = random.vector(n * c * in);
        std::vector<float> xb(n * blocks * b * in), y(n * c * out), yb(n * blocks * b * out, 9.0f),
            scratch(size[1] + 16);
        for (int64_t k = 0; k < n * c; k++)
          for (int64_t i = 0; i < in; i++) xb[((k / c * blocks + k % c / b) * in + i) * b + k % c % b] = x[k * in + i];
        ResizeArgs a;
        a.x = x.data(), a.y = y.data(), a.n = n, a.c = c, a.rows = rows.axis, a.columns = columns.axis;
        kernels().plain(a, scratch.data(), 0, resize_tasks_plain(a));
        a.x = xb.data(), a.y = yb.data();
        kernels().blocked(a, 0, resize_tasks_blocked(a, b));
        for (int64_t k = 0; k < n * blocks * b; k++)
          for (int64_t i = 0; i < out; i++) {
            const int64_t image = k / (blocks * b), channel = k % (blocks * b);
            double sum = 0;
            for (int64_t r = 0; r < taps && channel < c; r++)
              for (int64_t s = 0; s < taps; s++) {
                const int64_t row = i / size[3] * taps + r, column = i % size[3] * taps + s;
                const double weight = weighted ? static_cast<double>(rows.weights[row]) * columns.weights[column] : 1.0;
                sum += weight * x[(image * c + channel) * in + rows.places[row] * size[1] + columns.places[column]];
              }
            if (channel < c) {
              ASSERT_NEAR(y[(image * c + channel) * out + i], sum, 1e-5);
            }
            ASSERT_NEAR(yb[((image * blocks + channel / b) * out + i) * b + channel % b], sum, 1e-5);
          }
      }
}

template <typename From, typename To>
std::vector<To> cast(DType from, DType to, const std::vector<From>& x) {
  std::vector<To> y(x.size());
  cast_run(from, to, x.data(), y.data(), 0, static_cast<int64_t>(x.size()));
  return y;
}

TEST(Cast, IntegersWrapFloatsSaturate) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ((cast<int64_t, int32_t>(DType::i64, DType::i32, {(1LL << 32) + 7, -1, 1LL << 40})),
            (std::vector<int32_t>{7, -1, 0}));
  EXPECT_EQ((cast<int64_t, int64_t>(DType::i64, DType::i64, {(1LL << 60) + 1})),
            (std::vector<int64_t>{(1LL << 60) + 1}));
  EXPECT_EQ((cast<float, int8_t>(DType::f32, DType::i8, {1.9f, -1.9f, 200, -200, inf, -inf, nan})),
            (std::vector<int8_t>{1, -1, 127, -128, 127, -128, 0}));
  EXPECT_EQ((cast<float, int64_t>(DType::f32, DType::i64, {1e30f, -1e30f, 5})),
            (std::vector<int64_t>{INT64_MAX, INT64_MIN, 5}));
  EXPECT_EQ((cast<double, int32_t>(DType::f64, DType::i32, {2147483647.0, 2147483648.0, -2147483649.0})),
            (std::vector<int32_t>{INT32_MAX, INT32_MAX, INT32_MIN}));
  EXPECT_EQ((cast<float, uint8_t>(DType::f32, DType::boolean, {0.5f, 0, -0.0f, nan})),
            (std::vector<uint8_t>{1, 0, 0, 1}));
  EXPECT_EQ((cast<uint8_t, float>(DType::boolean, DType::f32, {0, 1, 9})), (std::vector<float>{0, 1, 1}));
  EXPECT_EQ((cast<uint64_t, double>(DType::u64, DType::f64, {UINT64_MAX})),
            (std::vector<double>{18446744073709551616.0}));
  EXPECT_EQ((cast<float, uint16_t>(DType::f32, DType::f16, {1, 65504, 1e9f})),
            (std::vector<uint16_t>{0x3c00, 0x7bff, 0x7c00}));
  EXPECT_EQ((cast<uint16_t, int32_t>(DType::bf16, DType::i32, {0x4040, 0xc120})), (std::vector<int32_t>{3, -10}));
}

}  // namespace
}  // namespace narae::cpu
