// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "ops/op_case.h"
#include "ops/topk.h"

namespace narae {
namespace {

void add_topk(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, TopkAttributes attributes, CaseInput x,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"topk", name, make_attributes(attributes), {std::move(x)}, 2, 0, std::move(expected)});
  };
  const CaseInput rows = given(DType::f32, {3, 4}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  add("largest", {3, 1, true, true}, rows, {{3, 2, 1, 7, 6, 5, 11, 10, 9}, {3, 2, 1, 3, 2, 1, 3, 2, 1}});
  add("smallest", {2, 0, false, true}, rows, {{0, 1, 2, 3, 4, 5, 6, 7}, {0, 0, 0, 0, 1, 1, 1, 1}});
  add("ties", {3, 0, true, true}, given(DType::f32, {5}, {1, 2, 2, 0, 2}), {{2, 2, 2}, {1, 2, 4}});
  add("ties_smallest", {3, 0, false, true}, given(DType::i64, {4}, {1, 0, 0, 1}), {{0, 0, 1}, {1, 2, 0}});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  add("nan", {2, 0, true, true}, given(DType::f32, {3}, {5, nan, 7}), {{nan, 7}, {1, 2}});
  add("negative_axis", {4, -2, true, true}, normal({2, 9, 3}));
  add("all", {19, -1, true, true}, normal({3, 19}));
  add("none", {0, 0, true, true}, normal({5}));
  add("unsorted", {3, 1, true, false}, normal({2, 7}));
  add("rank5", {2, 2, false, true}, normal({2, 1, 3, 2, 3}));
  add("u64", {2, 0, true, true}, given(DType::u64, {3}, {1, 1.8e19, 5}));
  add("i32", {3, 0, true, true}, integers(DType::i32, {37}, -99, 99));
  add("f16", {3, 0, true, true}, normal({37}, DType::f16));
  add("empty", {1, 1, true, true}, normal({0, 3}));
}

void add_arg(std::vector<OpCase>& cases, const char* op, std::vector<double> first, std::vector<double> last) {
  auto add = [&](const char* name, ArgAttributes attributes, CaseInput x,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back({op, name, make_attributes(attributes), {std::move(x)}, 1, 0, std::move(expected)});
  };
  const CaseInput rows = given(DType::f32, {2, 4}, {2, 1, 2, 1, 3, 10, 10, 3});
  add("first", {1, true, false}, rows, {first});
  add("last", {-1, false, true}, rows, {last});
  add("axis0", {0, true, false}, normal({5, 7}));
  add("no_axis_left", {0, false, false}, normal({9}));
  add("middle", {1, false, false}, normal({2, 9, 3}));
  add("rank5", {3, true, true}, integers(DType::f32, {2, 1, 3, 4, 2}, 0, 2));
  add("i64", {0, false, false}, integers(DType::i64, {19, 2}, -9, 9));
  add("u8", {1, true, false}, integers(DType::u8, {3, 19}, 0, 255));
  add("f16", {1, true, false}, normal({3, 19}, DType::f16));
  add("empty", {1, true, false}, normal({0, 3}));
}

}  // namespace

void add_topk_cases(std::vector<OpCase>& cases) {
  add_topk(cases);
  add_arg(cases, "arg_max", {0, 1}, {2, 2});
  add_arg(cases, "arg_min", {1, 0}, {3, 3});
}

}  // namespace narae
