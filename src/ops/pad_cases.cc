// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"
#include "ops/pad.h"

namespace narae {

void add_pad_cases(std::vector<OpCase>& cases) {
  auto add = [&](const std::string& name, Dims pads, std::string mode, CaseInput x,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"pad",
                     name,
                     make_attributes(PadAttributes{to_shape(pads), std::move(mode)}),
                     {std::move(x)},
                     1,
                     0,
                     std::move(expected)});
  };
  const CaseInput three = given(DType::f32, {3}, {1, 2, 3});
  add("constant", {1, 2}, "constant", three, {{0, 1, 2, 3, 0, 0}});
  add("edge", {2, 1}, "edge", three, {{1, 1, 1, 2, 3, 3}});
  add("reflect", {2, 1}, "reflect", three, {{3, 2, 1, 2, 3, 2}});
  add("wrap", {2, 1}, "wrap", three, {{2, 3, 1, 2, 3, 1}});
  add("reflect_far", {5, 0}, "reflect", three, {{2, 1, 2, 3, 2, 1, 2, 3}});
  add("wrap_far", {0, 5}, "wrap", three, {{1, 2, 3, 1, 2, 3, 1, 2}});
  add("reflect_one", {1, 2}, "reflect", given(DType::f32, {1}, {7}), {{7, 7, 7, 7}});
  add("negative", {-1, 2}, "constant", three, {{2, 3, 0, 0}});
  add("negative_edge", {1, -1}, "edge", three, {{1, 1, 2}});
  add("negative_reflect", {-1, 1}, "reflect", three, {{2, 3, 2}});
  add("negative_wrap", {-1, 1}, "wrap", three, {{2, 3, 2}});
  add("value", {1, 1}, "constant", three, {{9, 1, 2, 3, 9}});
  cases.back().inputs.push_back(given(DType::f32, {}, {9}).as_constant());
  add("absent_value", {0, 1}, "constant", three, {{1, 2, 3, 0}});
  cases.back().inputs.push_back(absent());
  for (const char* mode : {"constant", "edge", "reflect", "wrap"}) {
    add(std::string("image_") + mode, {0, 0, 2, 1, 0, 0, 1, 3}, mode, normal({2, 3, 5, 7}));
    add(std::string("matrix_") + mode, {1, -1, -1, 2}, mode, normal({4, 5}));
    add(std::string("nothing_") + mode, {0, 0, 0, 0}, mode, normal({3, 2}));
  }
  add("scalar", {}, "constant", normal({}));
  add("empty", {1, 0, 1, 0}, "constant", normal({0, 3}), {{0, 0, 0, 0, 0, 0}});
  add("rank5", {0, 1, 0, 1, 0, 0, 0, 0, 1, 2}, "constant", normal({2, 1, 2, 1, 3}));
  add("i64", {1, 1}, "constant", integers(DType::i64, {5}, -9, 9));
  cases.back().inputs.push_back(given(DType::i64, {1}, {-1}));
  add("u8", {0, 1, 0, 2}, "constant", integers(DType::u8, {3, 5}, 0, 255));
  add("f16", {0, 1, 0, 2}, "reflect", normal({3, 5}, DType::f16));
}

}  // namespace narae
