// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"

namespace narae {

void add_kv_cases(std::vector<OpCase>& cases) {
  const auto add = [&](const char* op, const char* name, std::vector<CaseInput> inputs) {
    cases.push_back({op, name, make_attributes(NoAttributes{}), std::move(inputs)});
    cases.back().tolerance = 0;
  };
  add("token_source", "some_in_flight",
      {given(DType::i32, {4}, {5, -1, 0, -1}), given(DType::i32, {4}, {1, 2, 0, 1}),
       given(DType::i32, {3}, {7, 8, 9})});
  cases.back().expected = {{5, 9, 0, 8}};
  add("kv_write", "places",
      {given(DType::f32, {4, 2}, {0, 1, 2, 3, 4, 5, 6, 7}), given(DType::f32, {2, 2}, {10, 11, 12, 13}),
       given(DType::i32, {2}, {3, 1})});
  cases.back().expected = {{0, 1, 12, 13, 4, 5, 10, 11}};
  add("kv_write", "the_last_stays",
      {given(DType::i32, {3}, {0, 1, 2}), given(DType::i32, {2}, {10, 11}), given(DType::i32, {2}, {0, 0})});
  cases.back().expected = {{11, 1, 2}};
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    add("kv_write", (std::string("heads_") + dtype_name(dtype)).c_str(),
        {normal({32, 3, 20}, dtype), normal({5, 3, 20}), given(DType::i32, {5}, {0, 31, 7, 8, 9})});
  }
  add("kv_write", "no_rows", {normal({4, 2}), normal({0, 2}), integers(DType::i32, {0}, 0, 1)});
}

}  // namespace narae
