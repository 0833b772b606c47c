// SPDX-License-Identifier: Apache-2.0
#include "ops/cumsum.h"
#include "ops/op_case.h"

namespace narae {

void add_cumsum_cases(std::vector<OpCase>& cases) {
  auto add_to = [&](const char* op, const char* name, CumsumAttributes attributes, CaseInput x,
                    std::vector<std::vector<double>> expected) {
    cases.push_back({op, name, make_attributes(attributes), {std::move(x)}, 1, 1e-5, std::move(expected)});
  };
  auto add = [&](const char* name, CumsumAttributes attributes, CaseInput x,
                 std::vector<std::vector<double>> expected = {}) {
    add_to("cumsum", name, attributes, std::move(x), std::move(expected));
  };
  const CaseInput three = given(DType::f32, {3}, {1, 2, 3}), six = given(DType::i32, {2, 3}, {1, 2, 3, 4, 5, 6});
  add("plain", {0, false, false}, three, {{1, 3, 6}});
  add("exclusive", {0, true, false}, three, {{0, 1, 3}});
  add("reverse", {0, false, true}, three, {{6, 5, 3}});
  add("exclusive_reverse", {-1, true, true}, three, {{5, 3, 0}});
  add("rows", {0, false, false}, six, {{1, 2, 3, 5, 7, 9}});
  add("columns", {-1, false, false}, six, {{1, 3, 6, 4, 9, 15}});
  add("middle", {1, true, false}, normal({3, 7, 5}));
  add("rank5", {2, false, true}, normal({2, 1, 3, 2, 3}));
  add("i64", {0, false, false}, integers(DType::i64, {37}, -99, 99));
  add("f64", {0, false, false}, normal({9}, DType::f64));
  add("f16", {1, false, false}, normal({3, 9}, DType::f16));
  cases.back().tolerance = 2e-3;
  add("empty", {1, false, false}, normal({2, 0}));
  add_to("cumprod", "plain", {0, false, false}, three, {{1, 2, 6}});
  add_to("cumprod", "exclusive_reverse", {-1, true, true}, three, {{6, 3, 1}});
  add_to("cumprod", "columns", {1, false, false}, six, {{1, 2, 6, 4, 20, 120}});
  add_to("cumprod", "middle", {1, true, false}, normal({3, 7, 5}), {});
}

}  // namespace narae
