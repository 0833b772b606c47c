// SPDX-License-Identifier: Apache-2.0
// Numbers from the reference evaluator of the onnx package.
#include "ops/resize.h"

#include "ops/expect_values.h"

namespace narae {
namespace {

ResizeAttributes to_sizes(int64_t height, int64_t width, const char* mode) {
  ResizeAttributes a;
  a.sizes = {Dim(1), Dim(1), Dim(height), Dim(width)};
  a.mode = mode;
  return a;
}
Tensor resized(const ResizeAttributes& a, int64_t height = 3, int64_t width = 4) {
  return run_op("resize", {pattern({1, 1, height, width}, 1)}, a)[0];
}

TEST(Resize, NearestModes) {
  ResizeAttributes a = to_sizes(5, 3, "nearest");
  expect_values(resized(a), {1, 1, 5, 3},
                {0.75, -1.5, -0.25, 0.75, -1.5, -0.25, -2.5, 1, 2.25, 0, -2.25, -1, 0, -2.25, -1});
  a.coordinate_mode = "align_corners";
  a.nearest_mode = "ceil";
  expect_values(resized(a), {1, 1, 5, 3},
                {0.75, 2, -0.25, -2.5, -1.25, 2.25, -2.5, -1.25, 2.25, 0, 1.25, -1, 0, 1.25, -1});
  a = to_sizes(6, 2, "nearest");
  a.nearest_mode = "round_prefer_ceil";
  expect_values(resized(a), {1, 1, 6, 2}, {-1.5, -0.25, -1.5, -0.25, 1, 2.25, 1, 2.25, -2.25, -1, -2.25, -1});
}

TEST(Resize, NearestDoublesAnyType) {
  ResizeAttributes a;
  a.sizes = {Dim(2), Dim(4)};
  a.scales = {1, 2};
  a.coordinate_mode = "asymmetric";
  a.nearest_mode = "floor";
  const Tensor y = run_op("resize", {Tensor::of<int32_t>(DType::i32, {2, 2}, {1, 2, 3, 4})}, a)[0];
  EXPECT_EQ(y.dtype, DType::i32);
  expect_values(y, {2, 4}, {1, 1, 2, 2, 3, 3, 4, 4});
  a.mode = "linear";
  EXPECT_THROW(run_op("resize", {Tensor::of<int32_t>(DType::i32, {2, 2}, {1, 2, 3, 4})}, a), Error);
}

TEST(Resize, LinearByScales) {
  ResizeAttributes a = to_sizes(6, 6, "linear");
  a.scales = {1, 1, 2, 1.5};
  expect_values(resized(a), {1, 1, 6, 6},
                {0.75,    -0.375,   -0.9166667, 1.416667,   0.875,    -0.25,     -0.0625,    -0.46875, -0.53125,
                 0.84375, 0.78125,  0.375,      -1.6875,    -0.65625, 0.2395833, -0.3020833, 0.59375,  1.625,
                 -1.875,  -0.84375, 0.05208333, -0.4895833, 0.40625,  1.4375,    -0.625,     -1.03125, -1.09375,
                 0.28125, 0.21875,  -0.1875,    0,          -1.125,   -1.666667, 0.6666667,  0.125,    -1});
}

TEST(Resize, LinearCoordinateModes) {
  ResizeAttributes a = to_sizes(2, 5, "linear");
  a.coordinate_mode = "align_corners";
  expect_values(resized(a), {1, 1, 2, 5}, {0.75, -0.9375, 0.25, 1.4375, -0.25, 0, -1.6875, -0.5, 0.6875, -1});
  a = to_sizes(3, 2, "linear");
  a.coordinate_mode = "half_pixel_symmetric";
  a.scales = {1, 1, 1, 0.6f};
  expect_values(resized(a), {1, 1, 3, 2}, {-0.7500001, 1.25, -0.1666666, -0.08333345, -1.5, 0.5000001});
  a = to_sizes(1, 5, "linear");
  a.coordinate_mode = "pytorch_half_pixel";
  expect_values(resized(a), {1, 1, 1, 5}, {0.75, -0.825, 0.25, 1.325, -0.25});
  a = to_sizes(3, 3, "linear");
  a.coordinate_mode = "tf_crop_and_resize";
  a.roi = {0, 0, 0.4f, 0.6f, 1, 1, 1.2f, 0.9f};
  a.extrapolation_value = 10;
  expect_values(resized(a), {1, 1, 3, 3},
                {-0.3800001, -0.01250002, 1.045, 0.0100002, 0.2625001, 0.2849999, 10, 10, 10});
}

TEST(Resize, Cubic) {
  ResizeAttributes a = to_sizes(2, 6, "cubic");
  expect_values(resized(a), {1, 1, 2, 6},
                {-0.009538449, -0.6338196, -0.5847437, 0.9411891, 0.9902649, 0.3659839, -0.615984, -1.240265, -1.191189,
                 0.3347436, 0.3838196, -0.2404616});
  a.exclude_outside = true;
  a.cubic_a = -0.5;
  expect_values(resized(a), {1, 1, 2, 6},
                {0.1464173, -0.5418634, -0.7274094, 1.101497, 0.9159511, 0.2276703, -0.4776703, -1.165951, -1.351497,
                 0.4774094, 0.2918635, -0.3964173});
}

TEST(Resize, Antialias) {
  ResizeAttributes a = to_sizes(3, 2, "linear");
  a.scales = {1, 1, 0.6f, 0.4f};
  a.antialias = true;
  expect_values(resized(a, 5, 6), {1, 1, 3, 2}, {0.17625, -0.39, 0.4433334, -0.08777779, -0.05624997, -0.6799999});
  a = to_sizes(3, 3, "cubic");
  a.scales = {1, 1, 0.6f, 0.6f};
  a.antialias = a.exclude_outside = true;
  expect_values(
      resized(a, 5, 6), {1, 1, 3, 3},
      {0.06825373, 0.4429193, -0.8690028, 0.8577042, -0.3694787, -0.1087828, -0.1524358, 0.1069634, -1.080091});
}

}  // namespace
}  // namespace narae
