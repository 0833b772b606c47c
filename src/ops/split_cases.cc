// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"
#include "ops/split.h"

namespace narae {

void add_split_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, int64_t axis, Dims sizes, CaseInput x) {
    cases.push_back({"split",
                     name,
                     make_attributes(SplitAttributes{axis, to_shape(sizes)}),
                     {std::move(x)},
                     static_cast<int>(sizes.size()),
                     0});
  };
  add("columns", 1, {1, 2}, given(DType::f32, {2, 3}, {1, 3, 4, 2, 5, 6}));
  cases.back().expected = {{1, 2}, {3, 4, 5, 6}};
  add("rows", 0, {2, 3, 1}, normal({6, 5}));
  add("channels", 1, {3, 7}, normal({2, 10, 4, 5}));
  add("last", -1, {4, 4, 4}, normal({2, 3, 12}));
  add("whole", 0, {3}, normal({3, 2}));
  add("with_empty", 0, {0, 3}, normal({3, 2}));
  add("of_empty", 1, {1, 2}, normal({0, 3}));
  add("rank1", 0, {3, 4}, normal({7}));
  add("rank5", 2, {1, 2}, normal({2, 1, 3, 2, 2}));
  add("i64", 0, {2, 1}, integers(DType::i64, {3}, -9, 9));
  add("f16", 1, {2, 1}, normal({5, 3}, DType::f16));
  add("contents", 0, {1, 2}, given(DType::i64, {3}, {4, 6, 8}).with_contents());
  cases.back().carries_contents = true;
  cases.back().expected = {{4}, {6, 8}};
}

}  // namespace narae
