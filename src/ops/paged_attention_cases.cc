// SPDX-License-Identifier: Apache-2.0
// Expected values are by hand: equal keys give means of the visible values.
#include "ops/op_case.h"
#include "ops/paged_attention.h"

namespace narae {

void add_paged_attention_cases(std::vector<OpCase>& cases) {
  const auto add = [&](const std::string& name, PagedAttentionAttributes attributes, std::vector<CaseInput> inputs) {
    cases.push_back({"paged_attention", name, make_attributes(std::move(attributes)), std::move(inputs)});
    cases.back().tolerance = 2e-5;
    cases.back().fixed_shapes = true;  // sizes of the lists hang together
  };
  const auto list = [](std::vector<double> values) {
    const auto size = static_cast<int64_t>(values.size());
    return given(DType::i32, {size}, std::move(values));
  };
  // Two sequences of 3 and 1 tokens in pages of 2; the first brings 2 rows, the second 1, the last row is of none.
  const CaseInput tables = given(DType::i32, {2, 2}, {3, 1, 2, 0});
  const std::vector<double> values = {90, 91, 5, 6, 7, 8, 1, 2};
  add("means", {1, 2, 0},
      {given(DType::f32, {4, 1, 1}, {1, 2, 3, 4}), given(DType::f32, {8, 1, 1}, std::vector<double>(8, 1.0)),
       given(DType::f32, {8, 1, 1}, values), list({0, 2, 3}), list({3, 1}), tables});
  cases.back().expected = {{1.5, 8.0 / 3, 7, 0}};
  add("window", {1, 2, 2},
      {given(DType::f32, {4, 1, 1}, {1, 2, 3, 4}), given(DType::f32, {8, 1, 1}, std::vector<double>(8, 1.0)),
       given(DType::f32, {8, 1, 1}, values), list({0, 2, 3}), list({3, 1}), tables});
  cases.back().expected = {{1.5, 3.5, 7, 0}};
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    const std::string type = dtype_name(dtype);
    // A whole prompt, a chunk behind a prefix, one token far on, one at the start.
    add("heads_" + type, {0.125, 16, 0},
        {normal({21, 6, 64}), normal({240, 3, 64}, dtype), normal({240, 3, 64}, dtype), list({0, 9, 19, 20, 21}),
         list({9, 30, 100, 1}), given(DType::i32, {4, 7}, {5, 0, 0, 0,  0, 0, 0, 2,  9, 0, 0, 0, 0, 0,
                                                           3, 1, 4, 14, 6, 8, 7, 10, 0, 0, 0, 0, 0, 0})});
    add("odd_head_size_" + type, {0.3, 8, 10},
        {normal({4, 4, 36}), normal({64, 1, 36}, dtype), normal({64, 1, 36}, dtype), list({0, 3, 4}), list({12, 17}),
         given(DType::i32, {2, 3}, {1, 2, 0, 7, 4, 3})});
  }
  for (const DType dtype : {DType::f16, DType::bf16}) {
    add(fmt::format("queries_{}", dtype_name(dtype)), {0.125, 16, 0},
        {normal({12, 4, 64}, dtype), normal({96, 2, 64}, dtype), normal({96, 2, 64}, dtype), list({0, 9, 10, 12}),
         list({9, 30, 17}), given(DType::i32, {3, 2}, {5, 0, 0, 2, 3, 1})});
    cases.back().tolerance = 1.6e-2;  // the weights of values are rounded to their type
  }
  add("long", {0.2, 16, 0},
      {normal({3, 2, 32}), normal({1024, 2, 32}), normal({1024, 2, 32}), list({0, 1, 3}), list({700, 310}),
       given(DType::i32, {2, 44}, [] {
         std::vector<double> pages;
         for (int i = 0; i < 88; ++i) pages.push_back((i * 37 + 5) % 64);
         return pages;
       }())});
}

}  // namespace narae
