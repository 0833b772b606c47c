// SPDX-License-Identifier: Apache-2.0
// Layer, group, response and p-norms against numbers from onnxruntime (group_norm also by hand from instance_norm).
#include "ops/expect_values.h"
#include "ops/group_norm.h"
#include "ops/layer_norm.h"
#include "ops/lp_norm.h"
#include "ops/lrn.h"

namespace narae {
namespace {

TEST(LayerNorm, RowsOfTwoAxesWithStatistics) {
  const auto y = run_op("layer_norm", {pattern({2, 3, 4}, 5), pattern({3, 4}, 1), pattern({4}, 2)},
                        LayerNormAttributes{1, 0.01}, 3);
  expect_values(y[0], {2, 3, 4},
                {-2.601764, 1.092664, -1.706675, -2.836393, -1.530862, 0.679117,   -1.191283,  -3.805452,
                 -1.5,      1.638918, -1.715933, -3.401163, -1.746547, -0.5750515, 0.5535622,  -2.271715,
                 -4.33073,  1.817372, 1.621935,  -1.267263, -1.5,      -0.8763873, -0.2956569, -1.148555});
  expect_values(y[1], {2, 1, 1}, {-0.02083333, -0.1875});
  expect_values(y[2], {2, 1, 1}, {0.5925456, 0.5844088});
}

TEST(LayerNorm, HalfKeepsWideStatistics) {
  const auto y = run_op("layer_norm", {pattern({2, 4}, 5, 64, DType::f16), pattern({4}, 1, 0.25, DType::f16)},
                        LayerNormAttributes{1, 1e-5}, 2);
  EXPECT_EQ(y[0].dtype, DType::f16);
  EXPECT_EQ(y[1].dtype, DType::f32);
  EXPECT_THROW(run_op("layer_norm", {pattern({2, 4}, 5), pattern({2, 2, 4}, 1)}, LayerNormAttributes{1, 1e-5}), Error);
}

TEST(RmsNorm, LastAxis) {
  expect_values(run_op("rms_norm", {pattern({2, 3, 4}, 5), pattern({4}, 1)}, LayerNormAttributes{2, 0.01})[0],
                {2, 3, 4},
                {-1.005286, -0.8042288, -1.340381, -0.3015858, 0,          2.438079,  1.805984,   0.1805984,
                 1.056338,  -0.2112676, -2.253521, -0.2112676, -0.3320694, -2.435176, 0.5903456,  0.2582762,
                 0.7748286, 0.4427592,  -3.246901, -0.1106898, -0.6338028, -1.690141, -0.2816902, 0.3521127});
}

TEST(InstanceNorm, Channels) {
  expect_values(run_op("instance_norm", {pattern({2, 3, 4}, 5), pattern({3}, 1), pattern({3}, 2)},
                       InstanceNormAttributes{0.01})[0],
                {2, 3, 4},
                {-2.457174, -1.046602,  -1.953398, -0.5428261, 1.41898,   4.03357,    -0.03357041, 2.58102,
                 2.051733,  -0.6212473, -3.294228, 0.863742,   -1.917653, -0.3584144, -1.360782,   -2.36315,
                 0.2736999, 2.278435,   4.283171,  1.164693,   -1.363742, 2.794228,   0.1212473,   -2.551733});
}

TEST(GroupNorm, TwoGroups) {
  expect_values(
      run_op("group_norm", {pattern({2, 4, 2}, 5), pattern({4}, 1), pattern({4}, 2)}, GroupNormAttributes{2, 0.01})[0],
      {2, 4, 2},
      {-2.457174, -1.046602, 2.906796, 0.08565259, 0.5246935, -2.961427, -2.838928, -2.403163, -0.6368499, -1.639218,
       4.283171, 1.164693, -1.363742, 2.794228, -2.546406, -2.212283});
  EXPECT_THROW(
      run_op("group_norm", {pattern({2, 4, 2}, 5), pattern({4}, 1), pattern({4}, 2)}, GroupNormAttributes{3, 0.01}),
      Error);
}

TEST(Lrn, OddAndEvenSizes) {
  expect_values(run_op("lrn", {pattern({1, 5, 2, 1}, 5)}, LrnAttributes{3, 0.5, 0.6, 2.0})[0], {1, 5, 2, 1},
                {-1.220864, 0.5162072, -0.6104318, 1.001438, 0, -1.001438, 0.6104318, -0.5151384, 1.220864, 0.1567527});
  // Size 2 looks one channel ahead: 1 / (1 + 4/2 * (1 + 4)), 2 / (1 + 4/2 * 4).
  expect_values(run_op("lrn", {Tensor::of<float>(DType::f32, {1, 2}, {1, 2})}, LrnAttributes{2, 4, 1, 1})[0], {1, 2},
                {1.0 / 11, 2.0 / 9});
}

TEST(LpNorm, BothNormsAndZeros) {
  const Tensor x = pattern({2, 3, 2}, 5);
  expect_values(run_op("lp_norm", {x}, LpNormAttributes{1, 1})[0], {2, 3, 2},
                {-0.6666667, 0.1818182, -0.3333333, 0.4090909, 0, -0.4090909, 0.2173913, -0.3636364, 0.4347826,
                 0.09090909, -0.3478261, 0.5454546});
  expect_values(run_op("lp_norm", {x}, LpNormAttributes{1, 2})[0], {2, 3, 2},
                {-0.8944272, 0.2998127, -0.4472136, 0.6745785, 0, -0.6745785, 0.3636965, -0.5494422, 0.727393,
                 0.1373606, -0.5819144, 0.8241634});
  expect_values(run_op("lp_norm", {Tensor::of<float>(DType::f32, {2}, {0, 0})}, LpNormAttributes{0, 2})[0], {2},
                {0, 0});
}

TEST(Norms, DecompositionsAgree) {
  const Tensor x = pattern({2, 4, 3}, 5), channels = pattern({4}, 1), row = pattern({3}, 2);
  expect_same_decomposed("layer_norm", {x, pattern({4, 3}, 1), row}, LayerNormAttributes{1, 0.01}, 3);
  expect_same_decomposed("layer_norm", {x, row}, LayerNormAttributes{2, 0.01});
  expect_same_decomposed("rms_norm", {x, row}, LayerNormAttributes{2, 0.01});
  expect_same_decomposed("instance_norm", {x, channels, channels}, InstanceNormAttributes{0.01});
  expect_same_decomposed("group_norm", {x, channels, channels}, GroupNormAttributes{2, 0.01});
}

}  // namespace
}  // namespace narae
