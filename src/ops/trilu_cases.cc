// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"
#include "ops/trilu.h"

namespace narae {

void add_trilu_cases(std::vector<OpCase>& cases) {
  auto trilu = [&](const std::string& name, bool upper, int64_t k, CaseInput x,
                   std::vector<std::vector<double>> expected = {}) {
    cases.push_back(
        {"trilu", name, make_attributes(TriluAttributes{upper, k}), {std::move(x)}, 1, 0, std::move(expected)});
  };
  const CaseInput nine = given(DType::f32, {3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  trilu("upper", true, 0, nine, {{1, 2, 3, 0, 5, 6, 0, 0, 9}});
  trilu("lower", false, 0, nine, {{1, 0, 0, 4, 5, 0, 7, 8, 9}});
  trilu("above", true, 1, nine, {{0, 2, 3, 0, 0, 6, 0, 0, 0}});
  trilu("below", false, -1, nine, {{0, 0, 0, 4, 0, 0, 7, 8, 0}});
  trilu("far", true, 9, nine, {{0, 0, 0, 0, 0, 0, 0, 0, 0}});
  trilu("batched", false, 1, normal({2, 3, 4, 7}));
  trilu("tall", true, -2, normal({7, 3}));
  trilu("rank5", false, 0, normal({2, 1, 2, 3, 3}));
  trilu("empty", true, 0, normal({0, 3}));
  trilu("i64", true, 0, integers(DType::i64, {4, 4}, -9, 9));
  trilu("bool", false, 0, normal({4, 5}, DType::boolean));
  trilu("f16", false, 0, normal({4, 5}, DType::f16));

  auto eye = [&](const std::string& name, DType dtype, int64_t k, CaseInput x,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back(
        {"eye_like", name, make_attributes(EyeLikeAttributes{dtype, k}), {std::move(x)}, 1, 0, std::move(expected)});
  };
  eye("square", DType::f32, 0, normal({2, 2}), {{1, 0, 0, 1}});
  eye("above", DType::i64, 1, normal({2, 3}), {{0, 1, 0, 0, 0, 1}});
  eye("below", DType::boolean, -1, integers(DType::i32, {3, 2}, 0, 9), {{0, 0, 1, 0, 0, 1}});
  eye("f16", DType::f16, 0, normal({5, 7}));
  eye("empty", DType::f32, 0, normal({0, 3}), {{}});
}

}  // namespace narae
