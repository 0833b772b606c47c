// SPDX-License-Identifier: Apache-2.0
#include "ops/concat.h"
#include "ops/op_case.h"

namespace narae {

void add_concat_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, int64_t axis, std::vector<CaseInput> inputs) {
    cases.push_back({"concat", name, make_attributes(ConcatAttributes{axis}), std::move(inputs), 1, 0});
  };
  add("columns", 1, {given(DType::f32, {2, 1}, {1, 2}), given(DType::f32, {2, 2}, {3, 4, 5, 6})});
  cases.back().expected = {{1, 3, 4, 2, 5, 6}};
  add("rows", 0, {normal({2, 5}), normal({3, 5}), normal({1, 5})});
  add("channels", 1, {normal({2, 3, 4, 5}), normal({2, 7, 4, 5})});
  add("last", -1, {normal({2, 3, 4}), normal({2, 3, 1})});
  add("one", 0, {normal({2, 3})});
  add("with_constant", 1, {normal({2, 3}), normal({2, 4}).as_constant()});
  add("with_empty", 0, {normal({0, 3}), normal({2, 3})});
  add("all_empty", 1, {normal({0, 3}), normal({0, 2})});
  add("rank1", 0, {normal({3}), normal({4})});
  add("rank5", 2, {normal({2, 1, 3, 2, 2}), normal({2, 1, 1, 2, 2})});
  add("i64", 0, {integers(DType::i64, {3}, -9, 9), integers(DType::i64, {2}, -9, 9)});
  add("u8", 1, {integers(DType::u8, {3, 5}, 0, 255), integers(DType::u8, {3, 2}, 0, 255)});
  add("f16", 0, {normal({3, 3}, DType::f16), normal({2, 3}, DType::f16)});
  add("bool", 0, {normal({3}, DType::boolean), normal({2}, DType::boolean)});
  add("contents", 0, {given(DType::i64, {2}, {4, 6}).with_contents(), given(DType::i64, {1}, {-1}).as_constant()});
  cases.back().carries_contents = true;
  cases.back().expected = {{4, 6, -1}};
}

}  // namespace narae
