// SPDX-License-Identifier: Apache-2.0
// Expected values are onnxruntime's.
#include "ops/conv.h"
#include "ops/pattern_input.h"

namespace narae {
namespace {

using Cases = std::vector<OpCase>;

void add_conv(Cases& cases, const char* name, std::vector<CaseInput> inputs, ConvAttributes a,
              double tolerance = 1e-4) {
  cases.push_back({"conv", name, make_attributes(std::move(a)), std::move(inputs), 1, tolerance});
}
ConvAttributes plane(int64_t stride, int64_t pad, int64_t groups = 1, int64_t dilation = 1) {
  return {{stride, stride}, {dilation, dilation}, {pad, pad, pad, pad}, groups};
}

void add_conv_values(Cases& cases) {
  add_conv(cases, "values_groups_uneven_pads", {pattern({1, 4, 5, 5}, 1), pattern({2, 2, 3, 3}, 2), pattern({2}, 3)},
           {{2, 2}, {1, 1}, {1, 0, 2, 1}, 2});
  cases.back().expected = {{-12.25, 10.125, -19.875, 0.5, -9.75, -1.125, 9.1875, 3.375, -3.875, 15.1875, 23.625, 5.5}};
  add_conv(cases, "values_one_axis_dilated", {pattern({2, 2, 7}, 1), pattern({3, 2, 3}, 2)}, {{1}, {2}, {2, 1}, 1});
  cases.back().expected = {{6.0625, -4.5,     -3.125, -0.375, -3.375,  1.75,     -12.375, 3.6875,  9.875,
                            -0.625, 6.125,    -1.5,   6.5625, 3.25,    -15.9375, 6.3125,  2.6875,  3.875,
                            -5.25,  1.4375,   0.875,  9.375,  4.9375,  -4.125,   4.0625,  -7.1875, -2,
                            4.75,   -12.9375, 4.5625, 1.875,  -7.1875, 5.1875,   -9.9375, 5.125,   4.625}};
  add_conv(cases, "values_three_axes", {pattern({1, 2, 3, 4, 3}, 1), pattern({1, 2, 2, 3, 2}, 2)},
           {{1, 2, 1}, {1, 1, 1}, {0, 1, 0, 1, 0, 1}, 1});
  cases.back().expected = {{1.25, 2.5625, 8.8125, -39.125, 26.0625, -10.125, 15.5625, -4.6875, 6.5625, -8.6875, 3.3125,
                            5, -4.6875, 6, -7.125, 11.6875, -0.6875, 5.875}};
  add_conv(cases, "values_bytes",
           {given(DType::u8, {1, 1, 3, 3}, {14, 5, 19, 10, 1, 15, 6, 20, 11}), pattern({1, 1, 2, 2}, 2, 7, DType::i8)},
           plane(1, 0), 0);
  cases.back().expected = {{-448, -203, -1806, -112}};
}

void add_conv_shapes(Cases& cases) {
  auto w = [](Dims dims) { return normal(std::move(dims)).as_constant(); };
  add_conv(cases, "1x1", {normal({2, 32, 7, 9}), w({48, 32, 1, 1}), w({48})}, plane(1, 0));
  add_conv(cases, "1x1_odd_channels", {normal({1, 5, 6, 5}), w({19, 5, 1, 1})}, plane(1, 0));
  add_conv(cases, "1x1_stride", {normal({1, 16, 8, 8}), w({16, 16, 1, 1})}, plane(2, 0));
  add_conv(cases, "3x3", {normal({2, 16, 9, 11}), w({32, 16, 3, 3}), w({32})}, plane(1, 1));
  add_conv(cases, "3x3_deep", {normal({1, 64, 6, 6}), w({64, 64, 3, 3}), w({64})}, plane(1, 1));
  add_conv(cases, "3x3_odd", {normal({3, 7, 10, 5}), w({13, 7, 3, 3})}, plane(1, 1));
  add_conv(cases, "3x3_stride", {normal({1, 16, 9, 10}), w({24, 16, 3, 3}), w({24})}, plane(2, 1));
  add_conv(cases, "3x3_dilated", {normal({1, 8, 12, 12}), w({16, 8, 3, 3})}, plane(1, 2, 1, 2));
  add_conv(cases, "7x7_three_channels", {normal({1, 3, 20, 24}), w({32, 3, 7, 7}), w({32})}, plane(2, 3));
  add_conv(cases, "5x5_one_channel", {normal({2, 1, 9, 9}), w({8, 1, 5, 5})}, plane(1, 0));
  add_conv(cases, "whole_image", {normal({2, 12, 4, 4}), w({10, 12, 4, 4}), w({10})}, plane(1, 0));
  add_conv(cases, "depthwise", {normal({2, 20, 9, 9}), w({20, 1, 3, 3}), w({20})}, plane(1, 1, 20));
  add_conv(cases, "depthwise_stride", {normal({1, 32, 11, 9}), w({32, 1, 5, 5})}, plane(2, 2, 32));
  add_conv(cases, "depthwise_dilated", {normal({1, 16, 11, 9}), w({16, 1, 3, 3})}, plane(1, 2, 16, 2));
  add_conv(cases, "depthwise_times_two", {normal({1, 6, 5, 7}), w({12, 1, 3, 3})}, plane(1, 1, 6));
  add_conv(cases, "groups", {normal({1, 32, 7, 7}), w({32, 8, 3, 3}), w({32})}, plane(1, 1, 4));
  add_conv(cases, "1x7", {normal({1, 16, 5, 13}), w({16, 16, 1, 7})}, {{1, 1}, {1, 1}, {0, 3, 0, 3}, 1});
  add_conv(cases, "large_pads", {normal({1, 3, 2, 3}), w({4, 3, 3, 3})}, plane(1, 4));
  add_conv(cases, "one_axis", {normal({2, 16, 33}), w({24, 16, 5}), w({24})}, {{2}, {1}, {2, 2}, 1});
  add_conv(cases, "three_axes", {normal({1, 8, 5, 6, 7}), w({16, 8, 3, 3, 3}), w({16})},
           {{1, 1, 2}, {1, 1, 1}, {1, 1, 1, 1, 1, 1}, 1});
  add_conv(cases, "weights_computed", {normal({2, 8, 6, 6}), normal({8, 8, 3, 3}), normal({8})}, plane(1, 1));
  add_conv(cases, "no_images", {normal({0, 4, 5, 5}), w({4, 4, 3, 3})}, plane(1, 1));
}

void add_conv_types(Cases& cases) {
  add_conv(cases, "f16", {normal({1, 8, 5, 5}, DType::f16), normal({8, 8, 3, 3}, DType::f16)}, plane(1, 1), 5e-3);
  add_conv(cases, "bf16", {normal({1, 8, 5, 5}, DType::bf16), normal({8, 8, 3, 3}, DType::bf16)}, plane(1, 1), 5e-2);
  add_conv(cases, "f64", {normal({1, 4, 5, 5}, DType::f64), normal({4, 4, 3, 3}, DType::f64)}, plane(1, 1));
  add_conv(cases, "u8_i8",
           {integers(DType::u8, {1, 8, 6, 6}, 0, 255), integers(DType::i8, {16, 8, 3, 3}, -128, 127),
            integers(DType::i32, {16}, -9999, 9999)},
           plane(1, 1), 0);
  add_conv(cases, "i8_i8_depthwise",
           {integers(DType::i8, {1, 8, 6, 6}, -128, 127), integers(DType::i8, {8, 1, 3, 3}, -128, 127)}, plane(2, 1, 8),
           0);
}

void add_transpose(Cases& cases, const char* name, std::vector<CaseInput> inputs, ConvTransposeAttributes a) {
  cases.push_back({"conv_transpose", name, make_attributes(std::move(a)), std::move(inputs), 1, 1e-4});
}
ConvTransposeAttributes grow(int64_t stride, int64_t pad, int64_t output_padding, int64_t groups = 1) {
  return {{stride, stride}, {1, 1}, {pad, pad, pad, pad}, {output_padding, output_padding}, groups};
}

void add_transposes(Cases& cases) {
  add_transpose(cases, "values_groups_dilated", {pattern({1, 4, 2, 3}, 1), pattern({4, 1, 3, 2}, 2), pattern({2}, 3)},
                {{2, 1}, {1, 2}, {1, 0, 0, 1}, {1, 0}, 2});
  cases.back().expected = {{4.625,  -2.6875, -1.9375, 8.5625, -0.6875, 4.8125, -4.3125, 4.5,     7.125, -0.1875,
                            1.8125, 9.8125,  4,       -1.75,  -1.3125, 8.25,   2,       2,       2,     2,
                            3.25,   1,       -7.375,  4.375,  8.25,    3.75,   -8.4375, -0.8125, 2.25,  0,
                            3.75,   7.875,   3.5,     -4.375, 9.375,   3.5,    -0.25,   -0.25,   -0.25, -0.25}};
  add_transpose(cases, "values_one_axis", {pattern({1, 2, 4}, 1), pattern({2, 2, 3}, 2)}, {{3}, {1}, {0, 0}, {0}, 1});
  cases.back().expected = {{-6.75, 1.5,  5.4375,  4.5, -3,   -1.875, -5.8125, 4,    2.3125, 5.4375, -0.5, -5,
                            -5,    3.25, -7.1875, 5,   -2.5, 4.375,  -6.5625, 3.25, -5.625, 3.4375, -2.5, 5.9375}};
  auto w = [](Dims dims) { return normal(std::move(dims)).as_constant(); };
  add_transpose(cases, "2x2_stride_2", {normal({2, 24, 5, 7}), w({24, 16, 2, 2}), w({16})}, grow(2, 0, 0));
  add_transpose(cases, "3x3_stride_2", {normal({1, 16, 5, 4}), w({16, 8, 3, 3}), w({8})}, grow(2, 1, 1));
  add_transpose(cases, "4x4_stride_2", {normal({1, 9, 4, 4}), w({9, 5, 4, 4})}, grow(2, 1, 0));
  add_transpose(cases, "stride_above_kernel", {normal({1, 4, 3, 3}), w({4, 4, 2, 2}), w({4})}, grow(3, 0, 0));
  add_transpose(cases, "depthwise", {normal({1, 8, 4, 4}), w({8, 1, 4, 4})}, grow(2, 1, 0, 8));
  add_transpose(cases, "three_axes", {normal({1, 4, 2, 3, 2}), w({4, 3, 2, 2, 2})},
                {{2, 2, 2}, {1, 1, 1}, {0, 0, 0, 0, 0, 0}, {0, 0, 0}, 1});
}

}  // namespace

void add_conv_cases(Cases& cases) {
  add_conv_values(cases);
  add_conv_shapes(cases);
  add_conv_types(cases);
  add_transposes(cases);
}

}  // namespace narae
