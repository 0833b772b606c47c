// SPDX-License-Identifier: Apache-2.0
#include "ops/matmul.h"
#include "ops/op_case.h"

namespace narae {

void add_matmul_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, CaseInput a, CaseInput b, bool transpose_a = false, bool transpose_b = false) {
    cases.push_back({"matmul",
                     name,
                     make_attributes(MatmulAttributes{transpose_a, transpose_b}),
                     {std::move(a), std::move(b)},
                     1,
                     1e-4});
  };
  add("values", given(DType::f32, {2, 2}, {1, 2, 3, 4}), given(DType::f32, {2, 2}, {5, 6, 7, 8}));
  cases.back().expected = {{19, 22, 43, 50}};
  add("square", normal({16, 16}), normal({16, 16}));
  add("odd", normal({7, 13}), normal({13, 19}));
  add("one_row", normal({1, 65}), normal({65, 33}).as_constant());
  add("one_column", normal({33, 65}), normal({65, 1}));
  add("weights", normal({2, 9, 48}), normal({48, 70}).as_constant());
  add("outer", normal({5, 1}), normal({1, 9}));
  add("batched", normal({3, 4, 5}), normal({3, 5, 6}));
  add("batch_broadcast", normal({2, 1, 4, 5}), normal({3, 5, 6}));
  add("batch_one", normal({1, 4, 5}), normal({7, 5, 3}));
  add("rank5", normal({2, 1, 2, 3, 4}), normal({1, 3, 1, 4, 5}));
  add("transpose_a", normal({13, 7}), normal({13, 19}), true, false);
  add("transpose_b", normal({7, 13}), normal({19, 13}), false, true);
  add("transpose_both", normal({2, 13, 7}), normal({2, 19, 13}), true, true);
  add("attention", normal({2, 3, 17, 8}), normal({2, 3, 17, 8}), false, true);
  add("deep", normal({9, 515}), normal({515, 9}));
  add("no_rows", normal({0, 5}), normal({5, 3}));
  add("no_depth", normal({2, 0}), normal({0, 3}));
  add("f16", normal({5, 9}, DType::f16), normal({9, 4}, DType::f16));
  cases.back().tolerance = 5e-3;
  add("bf16", normal({5, 9}, DType::bf16), normal({9, 4}, DType::bf16));
  cases.back().tolerance = 5e-2;
  add("f64", normal({5, 9}, DType::f64), normal({9, 4}, DType::f64));
  add("u8_i8", integers(DType::u8, {5, 67}, 0, 255), integers(DType::i8, {67, 9}, -128, 127));
  add("u8_u8", integers(DType::u8, {5, 67}, 0, 255), integers(DType::u8, {67, 9}, 0, 255));
  add("i8_i8", integers(DType::i8, {2, 5, 7}, -128, 127), integers(DType::i8, {7, 9}, -128, 127));
  add("i32", integers(DType::i32, {5, 7}, -99, 99), integers(DType::i32, {7, 9}, -99, 99));
}

}  // namespace narae
