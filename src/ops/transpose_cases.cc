// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"
#include "ops/transpose.h"

namespace narae {

void add_transpose_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, std::vector<int64_t> perm, CaseInput x) {
    cases.push_back({"transpose", name, make_attributes(TransposeAttributes{std::move(perm)}), {std::move(x)}, 1, 0});
  };
  add("matrix", {1, 0}, given(DType::f32, {2, 3}, {1, 2, 3, 4, 5, 6}));
  cases.back().expected = {{1, 4, 2, 5, 3, 6}};
  add("matrix_odd", {1, 0}, normal({37, 19}));
  add("identity", {0, 1, 2}, normal({2, 3, 5}));
  add("to_channels_last", {0, 2, 3, 1}, normal({2, 3, 5, 7}));
  add("to_channels_first", {0, 3, 1, 2}, normal({2, 5, 7, 3}));
  add("heads", {0, 2, 1, 3}, normal({2, 9, 4, 8}));
  add("batched", {0, 2, 1}, normal({3, 17, 16}));
  add("rank5", {4, 2, 0, 3, 1}, normal({2, 3, 1, 4, 5}));
  add("rank1", {0}, normal({5}));
  add("scalar", {}, normal({}));
  add("empty", {1, 0}, normal({3, 0}));
  add("i64", {2, 1, 0}, integers(DType::i64, {2, 3, 4}, -99, 99));
  add("u8", {1, 2, 0}, integers(DType::u8, {3, 5, 7}, 0, 255));
  add("f16", {1, 0, 2}, normal({3, 5, 2}, DType::f16));
}

}  // namespace narae
