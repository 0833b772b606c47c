// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"

namespace narae {

void add_select_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, CaseInput condition, CaseInput a, CaseInput b) {
    cases.push_back({"select", name, {}, {std::move(condition), std::move(a), std::move(b)}, 1, 0});
  };
  const DType flag = DType::boolean;
  add("values", given(flag, {3}, {1, 0, 1}), given(DType::f32, {3}, {1, 2, 3}), given(DType::f32, {}, {9}));
  cases.back().expected = {{1, 9, 3}};
  add("same", normal({3, 19}, flag), normal({3, 19}), normal({3, 19}));
  add("mask_row", normal({1, 19}, flag), normal({4, 19}), normal({}));
  add("three_ways", normal({3, 1, 1}, flag), normal({2, 1}), normal({5}));
  add("attention", normal({2, 1, 1, 9}, flag), normal({2, 3, 9, 9}), given(DType::f32, {}, {-1e9}).as_constant());
  add("rank5", normal({2, 1, 3, 1, 2}, flag), normal({2, 2, 3, 2, 2}), normal({1}));
  add("scalars", normal({}, flag), normal({}), normal({}));
  add("empty", normal({0, 3}, flag), normal({3}), normal({3}));
  add("i64", normal({7}, flag), integers(DType::i64, {7}, -9, 9), integers(DType::i64, {7}, -9, 9));
  add("u8", normal({7}, flag), integers(DType::u8, {7}, 0, 9), integers(DType::u8, {1}, 0, 9));
  add("f16", normal({7}, flag), normal({7}, DType::f16), normal({7}, DType::f16));
  const CaseInput sizes = given(DType::i64, {2}, {5, 4}).with_contents();
  add("contents", given(flag, {2}, {0, 1}).as_constant(), given(DType::i64, {}, {-1}).as_constant(), sizes);
  cases.back().carries_contents = true;
  cases.back().expected = {{5, -1}};
}

}  // namespace narae
