// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"
#include "ops/tile.h"

namespace narae {

void add_tile_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, Dims repeats, CaseInput x) {
    cases.push_back({"tile", name, make_attributes(TileAttributes{to_shape(repeats)}), {std::move(x)}, 1, 0});
  };
  add("values", {2, 2}, given(DType::f32, {1, 2}, {1, 2}));
  cases.back().expected = {{1, 2, 1, 2, 1, 2, 1, 2}};
  add("rows", {3, 1}, normal({2, 5}));
  add("columns", {1, 3}, normal({2, 5}));
  add("once", {1, 1, 1}, normal({2, 3, 4}));
  add("never", {1, 0}, normal({2, 3}));
  add("scalar", {}, normal({}));
  add("empty", {2, 2}, normal({0, 3}));
  add("rank5", {2, 1, 1, 3, 2}, normal({1, 2, 3, 1, 2}));
  add("i64", {3}, integers(DType::i64, {2}, -9, 9));
  add("f16", {2, 2}, normal({3, 3}, DType::f16));
  add("contents", {2}, given(DType::i64, {2}, {3, 4}).with_contents());
  cases.back().carries_contents = true;
  cases.back().expected = {{3, 4, 3, 4}};
}

}  // namespace narae
