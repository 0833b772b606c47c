// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"
#include "ops/quantize.h"

namespace narae {
namespace {

void add_quantize(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, QuantizeAttributes attributes, std::vector<CaseInput> inputs,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"quantize", name, make_attributes(attributes), std::move(inputs), 1, 0, std::move(expected)});
  };
  const CaseInput six = given(DType::f32, {6}, {0, 2, 3, 1000, -254, -1000}), two = given(DType::f32, {}, {2});
  add("u8", {1, 0, DType::u8}, {six, two, given(DType::u8, {}, {128})}, {{128, 129, 130, 255, 1, 0}});
  add("i8", {1, 0, DType::i8}, {six, two}, {{0, 1, 2, 127, -127, -128}});
  add("i16", {1, 0, DType::i16}, {six, given(DType::f32, {1}, {0.01}), absent()},
      {{0, 200, 300, 32767, -25400, -32768}});
  add("u16", {1, 0, DType::u16}, {six, two, given(DType::u16, {}, {32767})},
      {{32767, 32768, 32769, 33267, 32640, 32267}});
  add("halves", {1, 0, DType::i8}, {given(DType::f32, {4}, {1, 3, -1, -3}), two}, {{0, 2, 0, -2}});
  add("image", {1, 0, DType::u8},
      {normal({2, 3, 5, 7}), given(DType::f32, {}, {0.03}).as_constant(), given(DType::u8, {}, {121}).as_constant()});
  add("channels", {1, 0, DType::i8},
      {normal({2, 3, 5, 7}), uniform({3}, 0.01, 0.05).as_constant(), integers(DType::i8, {3}, -5, 5).as_constant()});
  add("rows", {0, 0, DType::i8}, {normal({5, 9}), uniform({5}, 0.01, 0.05)});
  add("last", {-1, 0, DType::u8}, {normal({4, 9}), uniform({9}, 0.01, 0.05), integers(DType::u8, {9}, 100, 150)});
  add("blocks", {1, 4, DType::i8}, {normal({3, 8}), uniform({3, 2}, 0.01, 0.05), integers(DType::i8, {3, 2}, -5, 5)});
  add("blocks_odd", {0, 3, DType::u8}, {normal({7, 2}), uniform({3, 2}, 0.01, 0.05)});
  add("f16", {1, 0, DType::i8}, {normal({37}, DType::f16), given(DType::f16, {}, {0.03})});
  add("i32", {1, 0, DType::u8}, {integers(DType::i32, {37}, -300, 300), given(DType::f32, {}, {1.5})});
  add("scalar", {1, 0, DType::u8}, {uniform({}, 1, 5), given(DType::f32, {}, {0.1})});
  add("empty", {1, 0, DType::u8}, {normal({0, 3}), two});
}

void add_dequantize(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, DequantizeAttributes attributes, std::vector<CaseInput> inputs,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"dequantize", name, make_attributes(attributes), std::move(inputs), 1, 0, std::move(expected)});
  };
  const CaseInput two = given(DType::f32, {}, {2});
  add("u8", {1, 0}, {given(DType::u8, {4}, {0, 3, 128, 255}), two, given(DType::u8, {}, {128})},
      {{-256, -250, 0, 254}});
  add("i8", {1, 0}, {given(DType::i8, {3}, {-128, 0, 127}), two}, {{-256, 0, 254}});
  add("i32", {1, 0}, {given(DType::i32, {3}, {-100000, 0, 16777217}), two, absent()}, {{-200000, 0, 33554432}});
  add("i32_zero_point", {1, 0}, {given(DType::i32, {2}, {16777219, 5}), two, given(DType::i32, {}, {2})},
      {{33554434, 6}});
  add("channels", {1, 0},
      {integers(DType::i8, {4, 3, 5}, -128, 127), uniform({3}, 0.01, 0.05), integers(DType::i8, {3}, -5, 5)});
  add("weights", {0, 0},
      {integers(DType::i8, {5, 3, 3, 3}, -127, 127).as_constant(), uniform({5}, 0.01, 0.05).as_constant()});
  add("bias", {0, 0}, {integers(DType::i32, {9}, -9999, 9999), uniform({9}, 0.001, 0.005)});
  add("last", {-1, 0},
      {integers(DType::u16, {4, 9}, 0, 65535), uniform({9}, 0.01, 0.05), integers(DType::u16, {9}, 0, 65535)});
  add("blocks", {1, 4},
      {integers(DType::u8, {3, 8}, 0, 255), uniform({3, 2}, 0.01, 0.05), integers(DType::u8, {3, 2}, 100, 150)});
  add("blocks_odd", {0, 3}, {integers(DType::i16, {7, 2}, -999, 999), uniform({3, 2}, 0.01, 0.05)});
  add("f16", {1, 0}, {integers(DType::u8, {37}, 0, 255), given(DType::f16, {}, {0.03}), given(DType::u8, {}, {7})});
  add("scalar", {1, 0}, {given(DType::u8, {}, {9}), two});
  add("empty", {1, 0}, {normal({0, 3}, DType::u8), two});
}

}  // namespace

void add_quantize_cases(std::vector<OpCase>& cases) {
  add_quantize(cases);
  add_dequantize(cases);
  auto dynamic = [&](const char* name, CaseInput x, std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"dynamic_quantize_linear", name, {}, {std::move(x)}, 3, 1e-6, std::move(expected)});
  };
  dynamic("both_signs", given(DType::f32, {6}, {0, 2, -3, -2.5, 1.34, 0.5}),
          {{153, 255, 0, 26, 221, 179}, {0.0196078438}, {153}});
  dynamic("negative", given(DType::f32, {6}, {-1, -2.1, -1.3, -2.5, -3.34, -4}),
          {{191, 121, 172, 96, 42, 0}, {0.0156862754}, {255}});
  dynamic("positive", given(DType::f32, {3, 4}, {1, 2.1, 1.3, 2.5, 3.34, 4, 1.5, 2.6, 3.9, 4, 3, 2.345}),
          {{64, 134, 83, 159, 213, 255, 96, 166, 249, 255, 191, 149}, {0.0156862754}, {0}});
  dynamic("zeros", given(DType::f32, {2}, {0, 0}), {{0, 0}, {1}, {0}});
  dynamic("image", normal({2, 3, 5, 7}));
  dynamic("scalar", uniform({}, 1, 5));
}

}  // namespace narae
