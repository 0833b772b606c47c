// SPDX-License-Identifier: Apache-2.0
// Expected values are onnxruntime's.
#include <cmath>

#include "ops/pattern_input.h"
#include "ops/reduce.h"

namespace narae {
namespace {

void add(std::vector<OpCase>& cases, const std::string& op, const char* name, CaseInput x, ReduceAttributes a,
         std::vector<std::vector<double>> expected = {}) {
  cases.push_back({op, name, make_attributes(std::move(a)), {std::move(x)}, 1, 1e-5, std::move(expected)});
}

// What every reduction must do; log_sum needs positive operands.
void add_shapes(std::vector<OpCase>& cases, const std::string& op) {
  auto x = [&](Dims dims) {
    return op == "reduce_log_sum" ? uniform(std::move(dims), 0.5, 2) : normal(std::move(dims));
  };
  add(cases, op, "rows", x({7, 33}), {{1}, true});
  add(cases, op, "columns", x({33, 7}), {{0}, false});
  add(cases, op, "middle", x({3, 9, 5}), {{1}, true});
  add(cases, op, "image", x({2, 5, 7, 6}), {{2, 3}, true});
  add(cases, op, "ends", x({3, 4, 5}), {{0, 2}, false});
  add(cases, op, "all", x({3, 4, 5}), {{0, 1, 2}, false});
  add(cases, op, "none", x({3, 4}), {{}, true});
  add(cases, op, "one", x({4, 1}), {{1}, false});
}

void add_integers(std::vector<OpCase>& cases) {
  const double big = 4503599627370497;
  const CaseInput x = given(DType::i64, {2, 2}, {big, 2, -7, 4});
  add(cases, "reduce_sum", "i64", x, {{1}, true}, {{big + 2, -3}});
  add(cases, "reduce_max", "i64", x, {{1}, false}, {{big, 4}});
  add(cases, "reduce_min", "i64", x, {{1}, false}, {{2, -7}});
  add(cases, "reduce_mean", "i64", x, {{1}, false}, {{(big + 1) / 2, -1}});
  add(cases, "reduce_prod", "i32", given(DType::i32, {2, 2}, {3, 2, -7, 4}), {{1}, false}, {{6, -28}});
  add(cases, "reduce_l1", "i32", given(DType::i32, {2, 2}, {3, 2, -7, 4}), {{1}, false}, {{5, 11}});
  add(cases, "reduce_sum_square", "i32", given(DType::i32, {2, 2}, {3, 2, -7, 4}), {{1}, false}, {{13, 65}});
  add(cases, "reduce_l2", "i32", given(DType::i32, {2}, {3, -4}), {{0}, false}, {{5}});
  add(cases, "reduce_max", "u8", given(DType::u8, {2, 2}, {3, 200, 7, 4}), {{1}, false}, {{200, 7}});
  add(cases, "reduce_min", "i8", integers(DType::i8, {4, 5}, -128, 127), {{1}, false});
  add(cases, "reduce_max", "boolean", given(DType::boolean, {2, 2}, {0, 1, 0, 0}), {{1}, false}, {{1, 0}});
}

void add_no_elements(std::vector<OpCase>& cases) {
  const CaseInput x = given(DType::f32, {2, 0}, {});
  add(cases, "reduce_sum", "no_elements", x, {{1}, false}, {{0, 0}});
  add(cases, "reduce_prod", "no_elements", x, {{1}, false}, {{1, 1}});
  add(cases, "reduce_max", "no_elements", x, {{1}, true}, {{-INFINITY, -INFINITY}});
  add(cases, "reduce_min", "no_elements", x, {{1}, true}, {{INFINITY, INFINITY}});
  add(cases, "reduce_mean", "no_elements", x, {{1}, false}, {{NAN, NAN}});
  add(cases, "reduce_log_sum_exp", "no_elements", x, {{1}, false}, {{-INFINITY, -INFINITY}});
  add(cases, "reduce_sum", "no_results", given(DType::f32, {0, 3}, {}), {{1}, false}, {{}});
}

void add_contents(std::vector<OpCase>& cases) {
  const CaseInput x = given(DType::i64, {3}, {2, 5, 3}).with_contents();
  for (const char* op : {"reduce_sum", "reduce_prod", "reduce_max", "reduce_min"}) {
    add(cases, op, "contents", x, {{0}, false});
    cases.back().carries_contents = true;
    add(cases, op, "contents_kept", x, {{0}, true});
    cases.back().carries_contents = true;
  }
}

}  // namespace

void add_reduce_cases(std::vector<OpCase>& cases) {
  const std::vector<std::pair<const char*, std::vector<double>>> values = {
      {"reduce_sum", {0.25, -2.75, 0}},
      {"reduce_mean", {0.03125, -0.34375, 0}},
      {"reduce_max", {2.75, 1.75, 2.5}},
      {"reduce_min", {-2.5, -2.75, -2.5}},
      {"reduce_prod", {12.68921, 0, 3.515625}},
      {"reduce_l1", {12.75, 10.25, 12.5}},
      {"reduce_l2", {5.031153, 4.366062, 5.012485}},
      {"reduce_sum_square", {25.3125, 19.0625, 25.125}},
      {"reduce_log_sum_exp", {3.418123, 2.603111, 3.279279}},
  };
  for (const auto& [op, expected] : values) {
    add(cases, op, "values", pattern({2, 3, 4}, 5), {{0, 2}, false}, {expected});
    add_shapes(cases, op);
    add(cases, op, "f64", normal({3, 5}, DType::f64), {{1}, false});
  }
  add(cases, "reduce_log_sum", "values", given(DType::f32, {2, 2}, {1, 2, 3, 4}), {{1}, true},
      {{1.0986123, 1.9459101}});
  add_shapes(cases, "reduce_log_sum");
  add(cases, "reduce_log_sum_exp", "large", given(DType::f32, {2}, {1000, 1000}), {{0}, false}, {{1000.6931}});
  add_integers(cases);
  add_no_elements(cases);
  add_contents(cases);
}

}  // namespace narae
