// SPDX-License-Identifier: Apache-2.0
#include "ops/gather_nd.h"
#include "ops/op_case.h"

namespace narae {

void add_gather_nd_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, int64_t batch, CaseInput x, CaseInput indices,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"gather_nd",
                     name,
                     make_attributes(GatherNdAttributes{batch}),
                     {std::move(x), std::move(indices)},
                     1,
                     0,
                     std::move(expected)});
  };
  const DType i64 = DType::i64;
  const CaseInput square = given(DType::i32, {2, 2}, {0, 1, 2, 3});
  const CaseInput cube = given(DType::i32, {2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  add("elements", 0, square, given(i64, {2, 2}, {0, 0, 1, 1}), {{0, 3}});
  add("rows", 0, square, given(i64, {2, 1}, {1, -2}), {{2, 3, 0, 1}});
  add("slices", 0, cube, given(i64, {2, 1, 2}, {0, 1, 1, 0}), {{2, 3, 4, 5}});
  add("batched", 1, cube, given(i64, {2, 1}, {1, 0}), {{2, 3, 4, 5}});
  add("whole", 0, square, normal({3, 0}, i64), {{0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3}});
  add("f32", 0, normal({3, 4, 5}), integers(i64, {7, 2}, -3, 2));
  add("f32_batched", 1, normal({3, 4, 5}), integers(DType::i32, {3, 6, 2}, 0, 3));
  add("batched_twice", 2, normal({2, 3, 4, 5}), integers(i64, {2, 3, 1}, 0, 3));
  add("f16", 0, normal({9, 2}, DType::f16), integers(i64, {4, 1}, 0, 8));
  add("rank5", 0, normal({2, 3, 2, 1, 3}), integers(i64, {2, 2, 3}, 0, 1));
  add("nothing", 0, normal({3, 4}), normal({0, 2}, i64), {{}});
}

}  // namespace narae
