// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"
#include "ops/reshape.h"

namespace narae {

void add_reshape_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, Dims shape, CaseInput x) {
    cases.push_back({"reshape", name, make_attributes(ReshapeAttributes{to_shape(shape)}), {std::move(x)}, 1, 0});
  };
  add("flatten", {2, 105}, normal({2, 3, 5, 7}));
  add("to_rank5", {1, 2, 3, 1, 5}, normal({6, 5}));
  add("to_scalar", {}, normal({1, 1}));
  add("from_scalar", {1}, normal({}));
  add("empty", {0, 7}, normal({3, 0}));
  add("bool", {4, 2}, normal({8}, DType::boolean));
  add("f16", {3, 4}, normal({12}, DType::f16));
  add("contents", {1}, given(DType::i64, {}, {5}).with_contents());
  cases.back().carries_contents = true;
  cases.back().expected = {{5}};
}

}  // namespace narae
