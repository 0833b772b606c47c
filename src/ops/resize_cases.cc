// SPDX-License-Identifier: Apache-2.0
// Expected values are those of the onnx package's reference evaluator.
#include "ops/pattern_input.h"
#include "ops/resize.h"

namespace narae {
namespace {

ResizeAttributes to_sizes(int64_t height, int64_t width, const char* mode, const char* coordinate_mode = "half_pixel") {
  ResizeAttributes a;
  a.sizes = {Dim(1), Dim(1), Dim(height), Dim(width)};
  a.mode = mode;
  a.coordinate_mode = coordinate_mode;
  return a;
}
void add(std::vector<OpCase>& cases, const char* name, CaseInput x, ResizeAttributes a,
         std::vector<std::vector<double>> expected = {}) {
  cases.push_back({"resize", name, make_attributes(std::move(a)), {std::move(x)}, 1, 1e-5, std::move(expected)});
}
CaseInput image() { return pattern({1, 1, 3, 4}, 1); }

void add_nearest(std::vector<OpCase>& cases) {
  ResizeAttributes a = to_sizes(5, 3, "nearest");
  add(cases, "nearest", image(), a,
      {{0.75, -1.5, -0.25, 0.75, -1.5, -0.25, -2.5, 1, 2.25, 0, -2.25, -1, 0, -2.25, -1}});
  a.coordinate_mode = "align_corners";
  a.nearest_mode = "ceil";
  add(cases, "nearest_ceil", image(), a,
      {{0.75, 2, -0.25, -2.5, -1.25, 2.25, -2.5, -1.25, 2.25, 0, 1.25, -1, 0, 1.25, -1}});
  a = to_sizes(6, 2, "nearest");
  a.nearest_mode = "round_prefer_ceil";
  add(cases, "nearest_prefer_ceil", image(), a, {{-1.5, -0.25, -1.5, -0.25, 1, 2.25, 1, 2.25, -2.25, -1, -2.25, -1}});
  ResizeAttributes twice;
  twice.sizes = {Dim(2), Dim(4)};
  twice.scales = {1, 2};
  twice.coordinate_mode = "asymmetric";
  twice.nearest_mode = "floor";
  add(cases, "nearest_twice_i32", given(DType::i32, {2, 2}, {1, 2, 3, 4}), twice, {{1, 1, 2, 2, 3, 3, 4, 4}});
  twice.sizes = {Dim(2), Dim(5), Dim(6), Dim(14)};
  twice.scales = {1, 1, 2, 2};
  add(cases, "nearest_twice", normal({2, 5, 3, 7}), twice);
}

void add_linear(std::vector<OpCase>& cases) {
  ResizeAttributes a = to_sizes(6, 6, "linear");
  a.scales = {1, 1, 2, 1.5};
  add(cases, "linear_scales", image(), a,
      {{0.75,    -0.375,   -0.9166667, 1.416667,   0.875,    -0.25,     -0.0625,    -0.46875, -0.53125,
        0.84375, 0.78125,  0.375,      -1.6875,    -0.65625, 0.2395833, -0.3020833, 0.59375,  1.625,
        -1.875,  -0.84375, 0.05208333, -0.4895833, 0.40625,  1.4375,    -0.625,     -1.03125, -1.09375,
        0.28125, 0.21875,  -0.1875,    0,          -1.125,   -1.666667, 0.6666667,  0.125,    -1}});
  add(cases, "linear_align_corners", image(), to_sizes(2, 5, "linear", "align_corners"),
      {{0.75, -0.9375, 0.25, 1.4375, -0.25, 0, -1.6875, -0.5, 0.6875, -1}});
  a = to_sizes(3, 2, "linear", "half_pixel_symmetric");
  a.scales = {1, 1, 1, 0.6f};
  add(cases, "linear_symmetric", image(), a, {{-0.7500001, 1.25, -0.1666666, -0.08333345, -1.5, 0.5000001}});
  add(cases, "linear_pytorch", image(), to_sizes(1, 5, "linear", "pytorch_half_pixel"),
      {{0.75, -0.825, 0.25, 1.325, -0.25}});
  a = to_sizes(3, 3, "linear", "tf_crop_and_resize");
  a.roi = {0, 0, 0.4f, 0.6f, 1, 1, 1.2f, 0.9f};
  a.extrapolation_value = 10;
  add(cases, "linear_crop", image(), a,
      {{-0.3800001, -0.01250002, 1.045, 0.0100002, 0.2625001, 0.2849999, 10, 10, 10}});
  a = to_sizes(13, 9, "linear");
  a.sizes[0] = Dim(2);
  a.sizes[1] = Dim(17);
  add(cases, "linear_image", normal({2, 17, 6, 5}), a);
  a.scales = {1, 1, 13.0 / 6, 1.8};
  add(cases, "linear_f16", normal({2, 17, 6, 5}, DType::f16), a);
  cases.back().tolerance = 5e-3;
  ResizeAttributes line;
  line.sizes = {Dim(1), Dim(2), Dim(9)};
  line.mode = "linear";
  add(cases, "linear_one_axis", normal({1, 2, 4}), line);
  line.sizes = {Dim(1), Dim(2), Dim(5), Dim(3), Dim(6)};
  add(cases, "linear_three_axes", normal({1, 2, 3, 4, 3}), line);
}

void add_cubic(std::vector<OpCase>& cases) {
  ResizeAttributes a = to_sizes(2, 6, "cubic");
  add(cases, "cubic", image(), a,
      {{-0.009538449, -0.6338196, -0.5847437, 0.9411891, 0.9902649, 0.3659839, -0.615984, -1.240265, -1.191189,
        0.3347436, 0.3838196, -0.2404616}});
  a.exclude_outside = true;
  a.cubic_a = -0.5;
  add(cases, "cubic_exclude_outside", image(), a,
      {{0.1464173, -0.5418634, -0.7274094, 1.101497, 0.9159511, 0.2276703, -0.4776703, -1.165951, -1.351497, 0.4774094,
        0.2918635, -0.3964173}});
}

void add_antialias(std::vector<OpCase>& cases) {
  ResizeAttributes a = to_sizes(3, 2, "linear");
  a.scales = {1, 1, 0.6f, 0.4f};
  a.antialias = true;
  add(cases, "linear_antialias", pattern({1, 1, 5, 6}, 1), a,
      {{0.17625, -0.39, 0.4433334, -0.08777779, -0.05624997, -0.6799999}});
  a = to_sizes(3, 3, "cubic");
  a.scales = {1, 1, 0.6f, 0.6f};
  a.antialias = a.exclude_outside = true;
  add(cases, "cubic_antialias", pattern({1, 1, 5, 6}, 1), a,
      {{0.06825373, 0.4429193, -0.8690028, 0.8577042, -0.3694787, -0.1087828, -0.1524358, 0.1069634, -1.080091}});
}

}  // namespace

void add_resize_cases(std::vector<OpCase>& cases) {
  add_nearest(cases);
  add_linear(cases);
  add_cubic(cases);
  add_antialias(cases);
}

}  // namespace narae
