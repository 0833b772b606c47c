// SPDX-License-Identifier: Apache-2.0
#include "ops/gather.h"
#include "ops/op_case.h"

namespace narae {

void add_gather_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* op, const char* name, int64_t axis, CaseInput x, CaseInput indices) {
    cases.push_back({op, name, make_attributes(GatherAttributes{axis}), {std::move(x), std::move(indices)}, 1, 0});
  };
  const DType i64 = DType::i64;
  const CaseInput matrix = given(DType::f32, {3, 2}, {1, 2, 3, 4, 5, 6});
  add("gather", "rows", 0, matrix, given(i64, {2, 2}, {0, -1, 1, 2}));
  cases.back().expected = {{1, 2, 5, 6, 3, 4, 5, 6}};
  add("gather", "columns", 1, matrix, given(i64, {1}, {1}));
  cases.back().expected = {{2, 4, 6}};
  add("gather", "one_row", 0, matrix, given(i64, {}, {1}));
  cases.back().expected = {{3, 4}};
  add("gather", "embedding", 0, normal({50, 16}).as_constant(), integers(i64, {2, 7}, 0, 49));
  add("gather", "middle", 1, normal({3, 5, 4}), integers(i64, {2, 3}, -5, 4));
  add("gather", "last", -1, normal({2, 3, 9}), integers(DType::i32, {4}, 0, 8));
  add("gather", "rank1", 0, normal({7}), integers(i64, {3}, 0, 6));
  add("gather", "to_scalar", 0, normal({7}), given(i64, {}, {-2}));
  add("gather", "rank5", 2, normal({2, 1, 4, 2, 3}), integers(i64, {2}, 0, 3));
  add("gather", "no_indices", 0, normal({3, 2}), normal({0}, i64));
  add("gather", "empty_slices", 0, normal({3, 0}), given(i64, {2}, {0, 2}));
  add("gather", "u8", 0, integers(DType::u8, {5, 3}, 0, 255), integers(i64, {4}, 0, 4));
  add("gather", "f16", 1, normal({5, 3}, DType::f16), integers(i64, {4}, 0, 2));
  const CaseInput sizes = given(i64, {3}, {4, 6, 8}).with_contents();
  add("gather", "contents", 0, sizes, given(i64, {2}, {2, 0}).as_constant());
  cases.back().carries_contents = true;
  cases.back().expected = {{8, 4}};
  add("gather", "contents_scalar", 0, sizes, given(i64, {}, {-2}).as_constant());
  cases.back().carries_contents = true;
  cases.back().expected = {{6}};

  add("gather_elements", "axis1", 1, given(DType::f32, {2, 2}, {1, 2, 3, 4}), given(i64, {2, 2}, {0, 0, 1, 0}));
  cases.back().expected = {{1, 1, 4, 3}};
  add("gather_elements", "axis0", 0, given(DType::f32, {3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
      given(i64, {2, 3}, {1, 2, 0, 2, 0, 0}));
  cases.back().expected = {{4, 8, 3, 7, 2, 3}};
  add("gather_elements", "negative", 0, given(DType::f32, {3}, {1, 2, 3}), given(i64, {2}, {-1, -3}));
  cases.back().expected = {{3, 1}};
  add("gather_elements", "rank3", 2, normal({3, 4, 5}), integers(i64, {2, 4, 7}, -5, 4));
  add("gather_elements", "rank5", 1, normal({2, 3, 2, 1, 3}), integers(DType::i32, {2, 4, 1, 1, 3}, 0, 2));
  add("gather_elements", "empty", 1, normal({2, 3}), normal({2, 0}, i64));
  add("gather_elements", "i64", 0, integers(i64, {4, 2}, -9, 9), integers(i64, {3, 2}, 0, 3));
}

}  // namespace narae
