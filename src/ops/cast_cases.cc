// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "ops/cast.h"
#include "ops/op_case.h"

namespace narae {

void add_cast_cases(std::vector<OpCase>& cases) {
  auto add = [&](const std::string& name, DType to, CaseInput x, std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"cast", name, make_attributes(CastAttributes{to}), {std::move(x)}, 1, 0, std::move(expected)});
  };
  constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const CaseInput floats = given(DType::f32, {8}, {1.5, -1.5, 300, -300, infinity, -infinity, nan, 0});
  add("f32_to_i8", DType::i8, floats, {{1, -1, 127, -128, 127, -128, 0, 0}});
  add("f32_to_u8", DType::u8, floats, {{1, 0, 255, 0, 255, 0, 0, 0}});
  add("f32_to_bool", DType::boolean, floats, {{1, 1, 1, 1, 1, 1, 1, 0}});
  add("f32_to_i32", DType::i32, floats, {{1, -1, 300, -300, 2147483647, -2147483648.0, 0, 0}});
  add("i32_to_i8_wraps", DType::i8, given(DType::i32, {4}, {127, 128, -129, 256}), {{127, -128, 127, 0}});
  add("i64_to_i32_wraps", DType::i32, given(DType::i64, {2}, {4294967297.0, -1}), {{1, -1}});
  add("i32_to_f32", DType::f32, given(DType::i32, {3}, {16777217, -5, 0}), {{16777216, -5, 0}});
  add("bool_to_f32", DType::f32, given(DType::boolean, {2, 2}, {0, 1, 1, 0}), {{0, 1, 1, 0}});
  for (int from = 0; from < dtype_count; ++from) {
    for (int to = 0; to < dtype_count; ++to) {
      const auto a = static_cast<DType>(from), b = static_cast<DType>(to);
      add(std::string("all_") + dtype_name(a) + "_" + dtype_name(b), b, integers(a, {3, 7}, 0, 1));
    }
  }
  add("f32_to_f16", DType::f16, normal({2, 3, 37}));
  add("f16_to_f32", DType::f32, normal({67}, DType::f16));
  add("f32_to_bf16", DType::bf16, normal({1, 2, 3, 2, 5}));
  add("u8_to_f32", DType::f32, integers(DType::u8, {5, 19}, 0, 255));
  add("scalar", DType::i64, uniform({}, -9, 9));
  add("empty", DType::f16, normal({0, 3}));
  for (const DType to : {DType::i32, DType::f32, DType::f64}) {
    add(std::string("contents_") + dtype_name(to), to, given(DType::i64, {2}, {5, 1}).with_contents(), {{5, 1}});
    cases.back().carries_contents = true;
  }
  add("contents_bool", DType::boolean, given(DType::i64, {2}, {5, 0}).as_constant(), {{1, 0}});
  cases.back().carries_contents = true;
}

}  // namespace narae
