// SPDX-License-Identifier: Apache-2.0
#include "ops/fill.h"
#include "ops/op_case.h"

namespace narae {

void add_fill_cases(std::vector<OpCase>& cases) {
  auto fill = [&](const char* name, Dims shape, double value, DType dtype) {
    cases.push_back({"fill", name, make_attributes(FillAttributes{to_shape(shape), value, dtype}), {}, 1, 0});
  };
  fill("zeros", {2, 3}, 0.0, DType::f32);
  cases.back().expected = {{0, 0, 0, 0, 0, 0}};
  fill("scalar", {}, 2.5, DType::f32);
  fill("f16", {7}, -1.5, DType::f16);
  fill("f64", {1, 2, 1, 2, 1}, 1e300, DType::f64);
  fill("empty", {0, 3}, 1.0, DType::f32);
  fill("bool", {3}, 1.0, DType::boolean);
  fill("u8_saturates", {2}, 300.0, DType::u8);
  cases.back().expected = {{255, 255}};
  fill("largest", {1}, 9.3e18, DType::i64);
  fill("contents", {3}, -1.0, DType::i64);
  cases.back().carries_contents = true;
  cases.back().expected = {{-1, -1, -1}};

  auto range = [&](const char* name, Dim start, Dim limit, Dim delta, std::vector<double> expected,
                   DType dtype = DType::i64) {
    RangeAttributes attributes;
    attributes.start = start;
    attributes.limit = limit;
    attributes.delta = delta;
    attributes.dtype = dtype;
    cases.push_back({"range", name, make_attributes(attributes), {}, 1, 0, {std::move(expected)}});
    cases.back().carries_contents = true;
  };
  range("up", 2, 7, 2, {2, 4, 6});
  range("down", 3, -1, -1, {3, 2, 1, 0});
  range("nothing", 5, 5, 1, {});
  range("wrong_way", 0, 5, -1, {});
  range("i32", 0, 4, 3, {0, 3}, DType::i32);
  RangeAttributes floats;
  floats.float_start = 0.5;
  floats.float_limit = 2.0;
  floats.float_delta = 0.5;
  floats.dtype = DType::f32;
  cases.push_back({"range", "f32", make_attributes(floats), {}, 1, 0, {{0.5, 1.0, 1.5}}});
  floats.float_delta = -1.0;
  cases.push_back({"range", "f32_nothing", make_attributes(floats), {}, 1, 0, {{}}});
}

}  // namespace narae
