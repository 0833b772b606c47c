// SPDX-License-Identifier: Apache-2.0
// The reference evaluator against closed forms, the text, the checks.
#include "tensor/scalar_program.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace narae {
namespace {

float apply(ScalarOp op, float a, float p = 0, float q = 0) {
  const float imm[2] = {p, q};
  return scalar_apply(op, a, 0, 0, imm);
}
float apply2(ScalarOp op, float a, float b, float c = 0) {
  const float imm[2] = {0, 0};
  return scalar_apply(op, a, b, c, imm);
}
const float inf = std::numeric_limits<float>::infinity();
const float nan = std::numeric_limits<float>::quiet_NaN();

TEST(ScalarProgram, OpsMeanWhatTheySay) {
  EXPECT_FLOAT_EQ(apply(ScalarOp::gelu, 1.0f), 0.84134475f);
  EXPECT_FLOAT_EQ(apply(ScalarOp::gelu, -6.0f), -5.9195276e-09f);
  EXPECT_FLOAT_EQ(apply(ScalarOp::gelu_tanh, 1.0f), 0.84119199f);
  EXPECT_FLOAT_EQ(apply(ScalarOp::silu, 2.0f), 1.7615942f);
  EXPECT_FLOAT_EQ(apply(ScalarOp::mish, 1.0f), 0.86509839f);
  EXPECT_FLOAT_EQ(apply(ScalarOp::hard_swish, 1.0f), 2.0f / 3.0f);
  EXPECT_FLOAT_EQ(apply(ScalarOp::hard_sigmoid, 1.0f, 0.2f, 0.5f), 0.7f);
  EXPECT_FLOAT_EQ(apply(ScalarOp::elu, -1.0f, 2.0f), 2.0f * std::expm1(-1.0f));
  EXPECT_FLOAT_EQ(apply(ScalarOp::softplus, 100.0f), 100.0f);
  EXPECT_EQ(apply(ScalarOp::clip, 9.0f, 0.0f, 6.0f), 6.0f);
  EXPECT_EQ(apply(ScalarOp::leaky_relu, -2.0f, 0.5f), -1.0f);
  EXPECT_EQ(apply(ScalarOp::round, 2.5f), 2.0f);
  EXPECT_EQ(apply(ScalarOp::round, -1.5f), -2.0f);
  EXPECT_EQ(apply(ScalarOp::sign, -3.0f), -1.0f);
  EXPECT_EQ(apply(ScalarOp::is_inf, -inf, 1, 0), 0.0f);
  EXPECT_EQ(apply(ScalarOp::is_inf, -inf, 1, 1), 1.0f);
  EXPECT_EQ(apply2(ScalarOp::mod, -7, 3), 2.0f);
  EXPECT_EQ(apply2(ScalarOp::fmod, -7, 3), -1.0f);
  EXPECT_EQ(apply2(ScalarOp::select, 1, 5, 6), 5.0f);
  EXPECT_EQ(apply2(ScalarOp::fma, 2, 3, 4), 10.0f);
  EXPECT_EQ(apply2(ScalarOp::pow, -2, 3), -8.0f);
}

TEST(ScalarProgram, NanIsHandedOn) {
  EXPECT_TRUE(std::isnan(apply(ScalarOp::relu, nan)));
  EXPECT_TRUE(std::isnan(apply(ScalarOp::clip, nan, 0, 6)));
  EXPECT_TRUE(std::isnan(apply2(ScalarOp::max, nan, 1)));
  EXPECT_TRUE(std::isnan(apply2(ScalarOp::max, 1, nan)));
  EXPECT_TRUE(std::isnan(apply2(ScalarOp::min, nan, 1)));
  EXPECT_EQ(apply2(ScalarOp::lt, nan, 1), 0.0f);
  EXPECT_EQ(apply(ScalarOp::silu, -inf), 0.0f);
}

ScalarProgram softmax() {
  ScalarProgram p;
  const auto x = p.input();
  const auto high = p.emit(ScalarOp::row_max, x);
  const auto e = p.emit(ScalarOp::exp, p.emit(ScalarOp::sub, x, high));
  const auto sum = p.emit(ScalarOp::row_sum, e);
  p.output(p.emit(ScalarOp::div, e, sum));
  return p;
}

TEST(ScalarProgram, RowsReduce) {
  const ScalarProgram p = softmax();
  ASSERT_EQ(scalar_program_error(p), "");
  EXPECT_TRUE(has_row_reduction(p));
  const float x[4] = {1, 2, 3, 4};
  float y[4];
  const ScalarOperand in{x, 1};
  float* out = y;
  evaluate_row(p, 4, &in, &out);
  double sum = 0;
  for (float v : x) sum += std::exp(v);
  for (int i = 0; i < 4; i++) EXPECT_NEAR(y[i], std::exp(x[i]) / sum, 1e-7);
}

TEST(ScalarProgram, PrintsComparesAndHashes) {
  ScalarProgram p;
  const auto x = p.input();
  const auto bias = p.input(ScalarClass::column, ScalarType::bf16);
  p.output(p.emit(ScalarOp::clip, p.emit(ScalarOp::add, x, bias), 0, 0, 0.0f, 6.0f));
  EXPECT_EQ(print(p),
            "r0 = input full f32\nr1 = input column bf16\nr2 = add r0 r1\nr3 = clip r2 [0, 6]\noutput r3 f32\n");
  ScalarProgram q = p;
  EXPECT_EQ(p, q);
  EXPECT_EQ(p.hash(), q.hash());
  q.body[1].imm[1] = 7;
  EXPECT_FALSE(p == q);
  EXPECT_NE(p.hash(), q.hash());
}

TEST(ScalarProgram, BadOnesAreNamed) {
  ScalarProgram p = softmax();
  p.body[0].a = 4;
  EXPECT_EQ(scalar_program_error(p), "instruction 0 (row_max) reads r4 before it is written");
  p = softmax();
  p.body[1].dst = 9;
  EXPECT_EQ(scalar_program_error(p), "instruction 1 (sub) writes r9, not r2");
  p = softmax();
  p.outputs.clear();
  EXPECT_EQ(scalar_program_error(p), "the program has no output");
}

}  // namespace
}  // namespace narae
