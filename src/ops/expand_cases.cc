// SPDX-License-Identifier: Apache-2.0
#include "ops/expand.h"
#include "ops/op_case.h"

namespace narae {

void add_expand_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, Dims shape, CaseInput x) {
    cases.push_back({"expand", name, make_attributes(ExpandAttributes{to_shape(shape)}), {std::move(x)}, 1, 0});
  };
  add("column", {3, 4}, given(DType::f32, {3, 1}, {1, 2, 3}));
  cases.back().expected = {{1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}};
  add("ones_keep", {1, 5}, normal({3, 5}));
  add("both_ways", {2, 1, 6}, normal({3, 1}));
  add("more_axes", {2, 3, 5}, normal({5}));
  add("scalar", {3, 2}, normal({}));
  add("to_scalar", {}, normal({}));
  add("rank5", {2, 3, 4, 5, 2}, normal({2, 1, 4, 1, 2}));
  add("empty", {0, 3}, normal({1, 3}));
  add("i64", {4, 3}, integers(DType::i64, {3}, -9, 9));
  add("bool", {2, 3}, normal({1, 3}, DType::boolean));
  add("f16", {5, 3}, normal({3}, DType::f16));
  add("contents", {3}, given(DType::i64, {1}, {7}).with_contents());
  cases.back().carries_contents = true;
  cases.back().expected = {{7, 7, 7}};
}

}  // namespace narae
