// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"
#include "ops/reverse_sequence.h"

namespace narae {

void add_reverse_sequence_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, ReverseSequenceAttributes attributes, CaseInput x, CaseInput lengths,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"reverse_sequence",
                     name,
                     make_attributes(attributes),
                     {std::move(x), std::move(lengths)},
                     1,
                     0,
                     std::move(expected)});
  };
  const DType i64 = DType::i64;
  const CaseInput six = given(DType::f32, {2, 3}, {0, 1, 2, 3, 4, 5});
  add("batch_first", {1, 0}, six, given(i64, {2}, {2, 3}), {{1, 0, 2, 5, 4, 3}});
  add("time_first", {0, 1}, six, given(i64, {3}, {2, 1, 0}), {{3, 1, 2, 0, 4, 5}});
  add("features", {0, 1}, normal({5, 3, 7}), integers(DType::i32, {3}, 0, 5));
  add("last_axes", {-1, -2}, normal({2, 3, 9}), integers(i64, {3}, 1, 9));
  add("rank5", {1, 0}, normal({2, 3, 2, 1, 2}), integers(i64, {2}, 0, 3));
  add("i64", {0, 1}, integers(i64, {4, 2}, -9, 9), given(i64, {2}, {4, 3}));
  add("empty", {1, 0}, normal({0, 3}), normal({0}, i64));
}

}  // namespace narae
