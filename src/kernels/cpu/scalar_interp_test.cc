// SPDX-License-Identifier: Apache-2.0
// Every step of every instruction set against scalar_apply(): accuracy over many magnitudes, special values, tails,
// broadcast operands, several rows.
#include "kernels/cpu/scalar_interp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/cpu/isa_test.h"

namespace narae::cpu {
namespace {

class ScalarInterp : public IsaTest {
 protected:
  const ScalarSteps& steps() { return *scalar_steps(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Isa, ScalarInterp, testing::ValuesIn(known_isas()), isa_name);

const float inf = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();

// Values of all magnitudes, the neighbourhood of the interesting places, and the special ones.
std::vector<float> values() {
  std::vector<float> v = {0.0f,      -0.0f,   1.0f,   -1.0f,  0.5f,    -0.5f, 2.5f,   3.5f,           -2.5f,
                          inf,       -inf,    nan,    1e-40f, -1e-40f, 3e38f, -3e38f, 88.0f,          88.8f,
                          -87.0f,    -104.0f, 0.625f, 6.0f,   -6.0f,   3.0f,  -3.0f,  1.1754944e-38f, 0.99999994f,
                          1.0000001f};
  std::mt19937 engine(7);
  std::uniform_real_distribution<float> exponent(-20.0f, 10.0f), narrow(-12.0f, 12.0f);
  for (int i = 0; i < 4000; i++) {
    const float magnitude = std::exp2(exponent(engine));
    v.push_back(i & 1 ? magnitude : -magnitude);
    v.push_back(narrow(engine));
  }
  return v;
}

// The far tail of gelu_tanh: |u| up to 50, each unit of it worth 6e-8.
double relative_of(ScalarOp op) { return op == ScalarOp::gelu_tanh ? 1e-5 : 1e-6; }
// Below the normal numbers; these products of x and a sigmoid underflow a little earlier.
double absolute_of(ScalarOp op) {
  return op == ScalarOp::silu || op == ScalarOp::gelu_tanh || op == ScalarOp::mish ? 2e-36 : 1.2e-38;
}

bool close(ScalarOp op, float got, float want) {
  if (std::isnan(want)) return std::isnan(got);
  if (std::isinf(want) || std::isinf(got)) return got == want;
  const double error = std::fabs(static_cast<double>(got) - want);
  return error <= relative_of(op) * std::fabs(want) + absolute_of(op);
}

void check(const ScalarSteps& steps, ScalarOp op, const std::vector<float>& a, const std::vector<float>& b,
           const std::vector<float>& c, float p, float q) {
  const int64_t n = static_cast<int64_t>(a.size());
  std::vector<float> out(a.size(), 7.0f);
  StepArgs s;
  s.out = out.data();
  s.in[0].data = a.data(), s.in[1].data = b.data(), s.in[2].data = c.data();
  s.imm[0] = p, s.imm[1] = q;
  s.columns = n;
  steps.step[step_index(op)](s);
  int failures = 0;
  for (int64_t i = 0; i < n && failures < 5; i++) {
    const float want = scalar_apply(op, a[i], b[i], c[i], s.imm);
    if (close(op, out[i], want)) continue;
    failures++;
    ADD_FAILURE() << scalar_op_name(op) << "(" << a[i] << ", " << b[i] << ", " << c[i] << ") = " << out[i] << ", not "
                  << want << " (relative " << (out[i] - want) / want << ")";
  }
}

TEST_P(ScalarInterp, EveryOpAgreesWithItsDefinition) {
  const std::vector<float> a = values();
  std::vector<float> b = a, c = a;
  std::mt19937 engine(3);
  std::shuffle(b.begin(), b.end(), engine);
  std::shuffle(c.begin(), c.end(), engine);
  for (int k = 0; k < scalar_op_count; k++) {
    const ScalarOp op = static_cast<ScalarOp>(k);
    if (op == ScalarOp::constant || is_row_reduction(op) || op == ScalarOp::fma) continue;
    float p = 0.25f, q = 0.75f;
    if (op == ScalarOp::selu) p = 1.6732632f, q = 1.050701f;
    if (op == ScalarOp::is_inf) p = 1, q = 0;
    check(steps(), op, a, b, c, p, q);
  }
}

TEST_P(ScalarInterp, PowOfManyBases) {
  std::mt19937 engine(5);
  std::uniform_real_distribution<float> base(-14.0f, 14.0f), exponent(-8.0f, 8.0f);
  std::vector<float> a, b;
  for (int i = 0; i < 20000; i++) a.push_back(std::exp2(base(engine))), b.push_back(exponent(engine));
  for (float x : {-2.0f, -3.0f, 0.0f, 4.0f})
    for (float y : {2.0f, 3.0f, 0.0f, -1.0f, 0.5f}) a.push_back(x), b.push_back(y);
  check(steps(), ScalarOp::pow, a, b, a, 0, 0);
}

TEST_P(ScalarInterp, TailsRowsAndBroadcasts) {
  Random random(11);
  for (int64_t columns : {1, 2, 3, 7, 8, 15, 16, 17, 31, 64, 65, 100, 131}) {
    for (int mask = 0; mask < 8; mask++) {
      const int64_t rows = 3, stride = columns + 5;
      const std::vector<float> x[3] = {random.vector(rows * stride), random.vector(rows * stride),
                                       random.vector(rows * stride)};
      std::vector<float> out(rows * stride, 9.0f), two(rows * stride, 9.0f);
      StepArgs s;
      s.out = out.data(), s.out_stride = stride, s.rows = rows, s.columns = columns;
      for (int k = 0; k < 3; k++) {
        s.in[k].data = x[k].data();
        s.in[k].broadcast = mask >> k & 1;
        s.in[k].row_stride = s.in[k].broadcast ? 1 : stride;
      }
      steps().step[step_index(ScalarOp::fma)](s);
      s.out = two.data();
      steps().step[step_index(ScalarOp::add, FusedStep::add_relu)](s);
      for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < stride; i++) {
          double v[3];
          for (int k = 0; k < 3; k++) v[k] = s.in[k].broadcast ? x[k][r] : x[k][r * stride + i];
          const bool inside = i < columns;
          EXPECT_NEAR(out[r * stride + i], inside ? v[0] * v[1] + v[2] : 9.0, 1e-6) << columns << " mask " << mask;
          EXPECT_NEAR(two[r * stride + i], inside ? std::max(v[0] + v[1], 0.0) : 9.0, 1e-6)
              << columns << " mask " << mask;
        }
      }
    }
  }
}

TEST_P(ScalarInterp, RowsReduce) {
  Random random(13);
  for (int64_t n : {1, 3, 16, 17, 63, 64, 65, 200, 1000}) {
    std::vector<float> x = random.vector(n), out(1);
    StepArgs s;
    s.out = out.data(), s.in[0].data = x.data(), s.columns = n;
    double sum = 0;
    float high = x[0], low = x[0];
    for (float v : x) sum += v, high = std::max(high, v), low = std::min(low, v);
    steps().step[step_index(ScalarOp::row_sum)](s);
    EXPECT_NEAR(out[0], sum, 1e-5 * n);
    steps().step[step_index(ScalarOp::row_mean)](s);
    EXPECT_NEAR(out[0], sum / n, 1e-6);
    steps().step[step_index(ScalarOp::row_max)](s);
    EXPECT_EQ(out[0], high);
    steps().step[step_index(ScalarOp::row_min)](s);
    EXPECT_EQ(out[0], low);
    x[n / 2] = nan;
    for (ScalarOp op : {ScalarOp::row_max, ScalarOp::row_min, ScalarOp::row_sum}) {
      steps().step[step_index(op)](s);
      EXPECT_TRUE(std::isnan(out[0])) << scalar_op_name(op);
    }
  }
}

TEST_P(ScalarInterp, TypesConvertThereAndBack) {
  const std::vector<float> x = {0.0f,   1.0f,    -1.0f, 2.5f,     3.5f,          -2.5f, 127.4f,   127.6f,
                                300.0f, -300.0f, 1e10f, -1e10f,   2147483648.0f, 0.1f,  65504.0f, 65520.0f,
                                6e-8f,  3e-8f,   1e-5f, -0.3333f, 2.0f,          77.0f, 100.0f};
  const int64_t n = static_cast<int64_t>(x.size());
  auto stored = [&](ScalarType type, auto zero) {
    std::vector<decltype(zero)> out(x.size());
    steps().store[static_cast<int>(type)](x.data(), out.data(), n);
    return out;
  };
  const auto i8 = stored(ScalarType::i8, int8_t{});
  const auto u8 = stored(ScalarType::u8, uint8_t{});
  const auto i32 = stored(ScalarType::i32, int32_t{});
  const auto i64 = stored(ScalarType::i64, int64_t{});
  for (ScalarType type : {ScalarType::i8, ScalarType::u8, ScalarType::i32, ScalarType::i64}) {
    int64_t out = -1;
    steps().store[static_cast<int>(type)](&nan, &out, 1);
    EXPECT_EQ(out & 0xff, 0) << scalar_type_name(type);
  }
  const auto flags = stored(ScalarType::boolean, uint8_t{});
  for (int64_t i = 0; i < n; i++) {
    const double r = std::nearbyint(static_cast<double>(x[i]));
    EXPECT_EQ(i8[i], std::clamp(r, -128.0, 127.0)) << x[i];
    EXPECT_EQ(u8[i], std::clamp(r, 0.0, 255.0)) << x[i];
    EXPECT_EQ(i32[i], std::clamp(r, -2147483648.0, 2147483647.0)) << x[i];
    EXPECT_EQ(i64[i], r) << x[i];
    EXPECT_EQ(flags[i], x[i] != 0);
  }
  std::vector<float> back(x.size());
  steps().load[static_cast<int>(ScalarType::i8)](i8.data(), back.data(), n);
  for (int64_t i = 0; i < n; i++) EXPECT_EQ(back[i], i8[i]);
  const auto half = stored(ScalarType::f16, uint16_t{});
  steps().load[static_cast<int>(ScalarType::f16)](half.data(), back.data(), n);
  for (int64_t i = 0; i < n; i++) {
    if (std::fabs(x[i]) >= 65520.0f)
      EXPECT_TRUE(std::isinf(back[i]));
    else
      EXPECT_NEAR(back[i], x[i], std::fabs(x[i]) / 2048 + 3.1e-8) << x[i];
  }
  const auto brain = stored(ScalarType::bf16, uint16_t{});
  steps().load[static_cast<int>(ScalarType::bf16)](brain.data(), back.data(), n);
  for (int64_t i = 0; i < n; i++) EXPECT_NEAR(back[i], x[i], std::fabs(x[i]) / 256) << x[i];
}

TEST_P(ScalarInterp, EveryHalfSurvives) {
  std::vector<uint16_t> half(65536), again(65536);
  for (int i = 0; i < 65536; i++) half[i] = static_cast<uint16_t>(i);
  std::vector<float> wide(65536);
  steps().load[static_cast<int>(ScalarType::f16)](half.data(), wide.data(), 65536);
  steps().store[static_cast<int>(ScalarType::f16)](wide.data(), again.data(), 65536);
  for (int i = 0; i < 65536; i++) {
    if (std::isnan(wide[i]))
      EXPECT_EQ(again[i] & 0x7c00, 0x7c00) << i;
    else
      EXPECT_EQ(again[i], half[i]) << i;
  }
}

}  // namespace
}  // namespace narae::cpu
