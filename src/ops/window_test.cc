// SPDX-License-Identifier: Apache-2.0
// Convolutions and pools against numbers from onnxruntime on the same inputs.
#include <gtest/gtest.h>

#include "ops/conv.h"
#include "ops/expect_values.h"
#include "ops/pool.h"

namespace narae {
namespace {

TEST(Conv, GroupsStridesUnevenPadsBias) {
  const auto y = run_op("conv", {pattern({1, 4, 5, 5}, 1), pattern({2, 2, 3, 3}, 2), pattern({2}, 3)},
                        ConvAttributes{{2, 2}, {1, 1}, {1, 0, 2, 1}, 2});
  expect_values(y[0], {1, 2, 3, 2},
                {-12.25, 10.125, -19.875, 0.5, -9.75, -1.125, 9.1875, 3.375, -3.875, 15.1875, 23.625, 5.5});
}

TEST(Conv, OneAxisDilated) {
  const auto y = run_op("conv", {pattern({2, 2, 7}, 1), pattern({3, 2, 3}, 2)}, ConvAttributes{{1}, {2}, {2, 1}, 1});
  expect_values(y[0], {2, 3, 6}, {6.0625, -4.5,     -3.125, -0.375, -3.375,  1.75,     -12.375, 3.6875,  9.875,
                                  -0.625, 6.125,    -1.5,   6.5625, 3.25,    -15.9375, 6.3125,  2.6875,  3.875,
                                  -5.25,  1.4375,   0.875,  9.375,  4.9375,  -4.125,   4.0625,  -7.1875, -2,
                                  4.75,   -12.9375, 4.5625, 1.875,  -7.1875, 5.1875,   -9.9375, 5.125,   4.625});
}

TEST(Conv, ThreeAxes) {
  const auto y = run_op("conv", {pattern({1, 2, 3, 4, 3}, 1), pattern({1, 2, 2, 3, 2}, 2)},
                        ConvAttributes{{1, 2, 1}, {1, 1, 1}, {0, 1, 0, 1, 0, 1}, 1});
  expect_values(y[0], {1, 1, 3, 2, 3},
                {1.25, 2.5625, 8.8125, -39.125, 26.0625, -10.125, 15.5625, -4.6875, 6.5625, -8.6875, 3.3125, 5, -4.6875,
                 6, -7.125, 11.6875, -0.6875, 5.875});
}

TEST(Conv, BytesGiveExactSums) {
  Tensor x = pattern({1, 1, 3, 3}, 1, 1, DType::i32), bytes = Tensor::allocate(DType::u8, {1, 1, 3, 3});
  for (int64_t i = 0; i < 9; ++i) set_element(bytes, i, element_as_double(x, i) + 11);
  const auto y =
      run_op("conv", {bytes, pattern({1, 1, 2, 2}, 2, 7, DType::i8)}, ConvAttributes{{1, 1}, {1, 1}, {0, 0, 0, 0}, 1});
  EXPECT_EQ(y[0].dtype, DType::i32);
  expect_values(y[0], {1, 1, 2, 2}, {-448, -203, -1806, -112});
}

TEST(Conv, RefusesWhatDoesNotFit) {
  const Tensor x = pattern({1, 4, 5, 5}, 1), w = pattern({2, 3, 3, 3}, 2);
  EXPECT_THROW(run_op("conv", {x, w}, ConvAttributes{{1, 1}, {1, 1}, {0, 0, 0, 0}, 1}), Error);
  EXPECT_THROW(run_op("conv", {x, pattern({2, 4, 3, 3}, 2)}, ConvAttributes{{1, 1}, {1, 1}, {0, 0}, 1}), Error);
  EXPECT_THROW(run_op("conv", {x, pattern({2, 4, 9, 9}, 2)}, ConvAttributes{{1, 1}, {1, 1}, {0, 0, 0, 0}, 1}), Error);
}

TEST(ConvTranspose, GroupsDilationOutputPadding) {
  const auto y = run_op("conv_transpose", {pattern({1, 4, 2, 3}, 1), pattern({4, 1, 3, 2}, 2), pattern({2}, 3)},
                        ConvTransposeAttributes{{2, 1}, {1, 2}, {1, 0, 0, 1}, {1, 0}, 2});
  expect_values(y[0], {1, 2, 5, 4},
                {4.625,  -2.6875, -1.9375, 8.5625, -0.6875, 4.8125, -4.3125, 4.5,     7.125, -0.1875,
                 1.8125, 9.8125,  4,       -1.75,  -1.3125, 8.25,   2,       2,       2,     2,
                 3.25,   1,       -7.375,  4.375,  8.25,    3.75,   -8.4375, -0.8125, 2.25,  0,
                 3.75,   7.875,   3.5,     -4.375, 9.375,   3.5,    -0.25,   -0.25,   -0.25, -0.25});
}

TEST(ConvTranspose, OneAxis) {
  const auto y = run_op("conv_transpose", {pattern({1, 2, 4}, 1), pattern({2, 2, 3}, 2)},
                        ConvTransposeAttributes{{3}, {1}, {0, 0}, {0}, 1});
  expect_values(y[0], {1, 2, 12},
                {-6.75, 1.5,  5.4375,  4.5, -3,   -1.875, -5.8125, 4,    2.3125, 5.4375, -0.5, -5,
                 -5,    3.25, -7.1875, 5,   -2.5, 4.375,  -6.5625, 3.25, -5.625, 3.4375, -2.5, 5.9375});
}

TEST(MaxPool, CeilModeWithPlaces) {
  const auto y = run_op("max_pool", {pattern({1, 2, 5, 6}, 1)},
                        MaxPoolAttributes{{3, 2}, {2, 2}, {1, 1}, {1, 0, 0, 0}, true, false}, 2);
  expect_values(y[0], {1, 2, 3, 3},
                {2.25, 2, 1.25, 2.5, 1.75, 2.75, 2, 1.75, 1, 2.25, 1.5, 2.75, 2, 1.5, 2.75, 2, 1.25, 2.5});
  expect_values(y[1], {1, 2, 3, 3}, {7, 2, 10, 12, 20, 17, 25, 20, 28, 30, 38, 40, 48, 38, 40, 48, 56, 58});
}

TEST(MaxPool, DilatedColumnMajorPlaces) {
  const auto y = run_op("max_pool", {pattern({1, 1, 4, 5}, 4)},
                        MaxPoolAttributes{{2, 2}, {1, 1}, {2, 1}, {0, 0, 0, 0}, false, true}, 2);
  expect_values(y[0], {1, 1, 2, 4}, {0.25, 1.5, 1.5, 2.75, 0.5, 1.75, 1.75, 2.5});
  expect_values(y[1], {1, 1, 2, 4}, {2, 10, 10, 18, 3, 11, 11, 17});
}

// Without the rule that the last window starts inside input and leading pads there would be a third one, all padding.
TEST(MaxPool, LastWindowStartsInside) {
  const auto y = run_op("max_pool", {pattern({1, 1, 3}, 1)}, MaxPoolAttributes{{2}, {3}, {1}, {0, 1}, true, false});
  EXPECT_EQ(y[0].dims, (Dims{1, 1, 1}));
}

TEST(AvgPool, DivisorWithoutAndWithPads) {
  AvgPoolAttributes a{{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, true, false};
  expect_values(run_op("avg_pool", {pattern({1, 1, 5, 6}, 1)}, a)[0], {1, 1, 3, 4},
                {0.0625, 0.04166667, -0.625, 0, 0.4166667, -0.08333334, -0.1111111, 0.8333333, -0.1875, -0.2083333,
                 -0.875, -0.25});
  a.count_include_pad = true;
  expect_values(run_op("avg_pool", {pattern({1, 1, 5, 6}, 1)}, a)[0], {1, 1, 3, 4},
                {0.02777778, 0.02777778, -0.4166667, 0, 0.2777778, -0.08333334, -0.1111111, 0.4166667, -0.08333334,
                 -0.1388889, -0.5833333, -0.08333334});
}

TEST(LpPool, Cubes) {
  expect_values(run_op("lp_pool", {pattern({1, 1, 4, 4}, 1)},
                       LpPoolAttributes{{2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}, false, 3})[0],
                {1, 1, 2, 2}, {2.733371, 2.774573, 3.001157, 2.428826});
}

TEST(Window, SymbolicSizes) {
  OpTable table;
  add_all_ops(table);
  Graph graph(table);
  const Dim h = graph.new_symbol("H", 8);
  Value* x = graph.add_input("x", DType::f32, {Dim(1), Dim(3), h, h});
  Builder b(graph);
  Value* w = graph.add_constant(pattern({4, 3, 3, 3}, 1));
  Value* y = b.op("conv", {x, w}, ConvAttributes{{2, 2}, {1, 1}, {1, 1, 1, 1}, 1});
  EXPECT_EQ(y->shape()[2], floordiv(h - Dim(1), 2) + Dim(1));
  EXPECT_EQ(b.op("conv", {x, w}, ConvAttributes{{1, 1}, {1, 1}, {1, 1, 1, 1}, 1})->shape()[3], h);
}

}  // namespace
}  // namespace narae
