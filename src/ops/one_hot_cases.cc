// SPDX-License-Identifier: Apache-2.0
#include "ops/one_hot.h"
#include "ops/op_case.h"

namespace narae {

void add_one_hot_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, Dim depth, int64_t axis, CaseInput indices, CaseInput values,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"one_hot",
                     name,
                     make_attributes(OneHotAttributes{depth, axis}),
                     {std::move(indices), std::move(values)},
                     1,
                     0,
                     std::move(expected)});
  };
  const DType i64 = DType::i64;
  const CaseInput values = given(DType::f32, {2}, {0, 1}).as_constant();
  add("last", 3, -1, given(i64, {2}, {0, 2}), values, {{1, 0, 0, 0, 0, 1}});
  add("first", 3, 0, given(i64, {2}, {0, 2}), values, {{1, 0, 0, 0, 0, 1}});
  add("negative_and_outside", 3, -1, given(i64, {4}, {-1, -3, 3, -4}), values, {{0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}});
  add("middle", 5, 1, integers(i64, {2, 3}, 0, 4), given(DType::f32, {2}, {2, 5}));
  add("scalar", 4, 0, given(i64, {}, {2}), given(DType::i64, {2}, {-1, 7}), {{-1, -1, 7, -1}});
  add("float_indices", 3, 1, given(DType::f32, {2}, {1, 2}), given(DType::f16, {2}, {0, 1}));
  add("rank4", 3, 2, integers(DType::i32, {2, 2, 1, 3}, 0, 2), values);
  add("no_indices", 3, 1, normal({0}, i64), values);
}

}  // namespace narae
