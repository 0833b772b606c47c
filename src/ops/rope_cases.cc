// SPDX-License-Identifier: Apache-2.0
// Expected values are by hand: a quarter turn at position 1 with frequency pi / 2.
#include "ops/op_case.h"
#include "ops/rope.h"

namespace narae {

void add_rope_cases(std::vector<OpCase>& cases) {
  const auto add = [&](const char* name, bool interleaved, double scale, std::vector<CaseInput> inputs) {
    cases.push_back({"rope", name, make_attributes(RopeAttributes{interleaved, scale}), std::move(inputs)});
    cases.back().tolerance = 2e-5;
  };
  const double quarter = 1.57079632679489662;
  add("quarter_turn", false, 1,
      {given(DType::f32, {2, 1, 6}, {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}), given(DType::i32, {2}, {0, 1}),
       given(DType::f32, {2}, {quarter, 2 * quarter}).as_constant()});
  cases.back().expected = {{1, 2, 3, 4, 5, 6, -3, -2, 1, -4, 5, 6}};
  add("quarter_turn_interleaved", true, 2,
      {given(DType::f32, {1, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8}), given(DType::i32, {1}, {1}),
       given(DType::f32, {2}, {quarter, 2 * quarter}).as_constant()});
  cases.back().expected = {{-4, 2, -6, -8, -12, 10, -14, -16}};
  for (const DType dtype : {DType::f16, DType::bf16}) {
    add(fmt::format("heads_{}", dtype_name(dtype)).c_str(), false, 1,
        {normal({5, 3, 64}, dtype), integers(DType::i32, {5}, 0, 4000), uniform({32}, 1e-4, 1).as_constant()});
    cases.back().tolerance = 8e-3;
  }
  for (const bool interleaved : {false, true}) {
    const std::string form = interleaved ? "_interleaved" : "";
    add(("heads" + form).c_str(), interleaved, 1,
        {normal({5, 3, 64}), integers(DType::i32, {5}, 0, 4000), uniform({32}, 1e-4, 1).as_constant()});
    add(("part_of_the_head" + form).c_str(), interleaved, 1.25,
        {normal({3, 2, 20}), integers(DType::i32, {3}, 0, 100), uniform({7}, 1e-3, 1).as_constant()});
    add(("no_rows" + form).c_str(), interleaved, 1,
        {normal({0, 2, 8}), integers(DType::i32, {0}, 0, 1), uniform({4}, 0, 1).as_constant()});
  }
}

}  // namespace narae
