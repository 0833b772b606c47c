// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"

namespace narae {
namespace {

OpCase with_contents(OpCase op_case) {
  op_case.carries_contents = true;
  return op_case;
}

void add_shapes(std::vector<OpCase>& cases, const char* op) {
  cases.push_back({op, "same", {}, {normal({3, 5, 7}), normal({3, 5, 7})}});
  cases.push_back({op, "row", {}, {normal({4, 19}), normal({19})}});
  cases.push_back({op, "both_ways", {}, {normal({3, 1, 5}), normal({2, 1})}});
  cases.push_back({op, "scalar", {}, {normal({2, 9}), normal({})}});
  cases.push_back({op, "two_scalars", {}, {normal({}), normal({})}});
  cases.push_back({op, "channel", {}, {normal({2, 3, 4, 5}), normal({3, 1, 1}).as_constant()}});
  cases.push_back({op, "rank5", {}, {normal({2, 1, 3, 1, 5}), normal({1, 4, 1, 2, 5})}});
  cases.push_back({op, "empty", {}, {normal({0, 3}), normal({3})}});
}

// Divisors that are not 0.
void add_quotients(std::vector<OpCase>& cases, const char* op) {
  cases.push_back({op, "same", {}, {uniform({3, 37}, -9, 9), uniform({3, 37}, 0.5, 4)}});
  cases.push_back({op, "row", {}, {uniform({4, 19}, -9, 9), uniform({19}, 0.5, 4)}});
  cases.push_back({op, "f64", {}, {uniform({5}, -9, 9, DType::f64), uniform({5}, 0.5, 4, DType::f64)}});
  cases.push_back(
      {op, "i64_values", {}, {given(DType::i64, {4}, {7, -7, 7, -7}), given(DType::i64, {4}, {2, 2, -2, -2})}});
  cases.push_back({op, "i32_zero", {}, {integers(DType::i32, {9}, -9, 9), given(DType::i32, {1}, {0})}});
}

void add_contents(std::vector<OpCase>& cases) {
  const CaseInput n = given(DType::i64, {2}, {6, 4}).with_contents();
  for (const char* op : {"add", "sub", "mul", "min", "max"}) {
    cases.push_back(with_contents({op, "contents", {}, {n, given(DType::i64, {}, {2}).as_constant()}, 1, 0}));
    cases.push_back(with_contents({op, "contents_two", {}, {n, given(DType::i64, {1}, {5}).with_contents()}, 1, 0}));
  }
  const CaseInput seven = given(DType::i64, {}, {-7}).as_constant(), eight = given(DType::i64, {1}, {8}).as_constant();
  cases.push_back(
      with_contents({"div", "contents", {}, {eight, given(DType::i64, {}, {3}).as_constant()}, 1, 0, {{2}}}));
  cases.push_back(with_contents({"mod", "contents", {}, {seven, eight}, 1, 0, {{1}}}));
  cases.push_back(
      with_contents({"fmod", "contents", {}, {eight, given(DType::i64, {}, {3}).as_constant()}, 1, 0, {{2}}}));
  for (const char* op : {"lt", "le", "gt", "ge", "eq", "ne"}) {
    cases.push_back(with_contents({op, "contents", {}, {seven, eight}, 1, 0}));
    cases.push_back(with_contents({op, "contents_equal", {}, {n, n}, 1, 0}));
    cases.back().inputs[0] = cases.back().inputs[1] = given(DType::i64, {2}, {6, 4}).as_constant();
  }
  const CaseInput flags = given(DType::boolean, {2}, {0, 1}).as_constant(),
                  on = given(DType::boolean, {}, {1}).as_constant();
  for (const char* op : {"logical_and", "logical_or", "logical_xor"}) {
    cases.push_back(with_contents({op, "contents", {}, {flags, on}, 1, 0}));
  }
}

}  // namespace

void add_binary_cases(std::vector<OpCase>& cases) {
  for (const char* op : {"add", "sub", "mul", "min", "max", "prelu"}) {
    add_shapes(cases, op);
    cases.push_back({op, "f16", {}, {normal({9, 3}, DType::f16), normal({3}, DType::f16)}, 1, 2e-3});
    cases.push_back({op, "i32", {}, {integers(DType::i32, {4, 5}, -9, 9), integers(DType::i32, {4, 1}, -9, 9)}});
    cases.push_back({op, "i64", {}, {integers(DType::i64, {7}, -9, 9), integers(DType::i64, {}, -9, 9)}});
    cases.push_back({op, "u8", {}, {integers(DType::u8, {9}, 0, 100), integers(DType::u8, {9}, 0, 100)}});
  }
  for (const char* op : {"div", "mod", "fmod"}) add_quotients(cases, op);
  cases.push_back({"div", "both_ways", {}, {uniform({3, 1, 5}, -9, 9), uniform({2, 1}, 1, 2)}});
  cases.push_back({"pow", "f32", {}, {uniform({3, 9}, 0.1, 4), uniform({9}, -2, 3)}});
  cases.push_back({"pow", "scalar", {}, {uniform({2, 5}, -3, 3), given(DType::f32, {}, {2}).as_constant()}});
  cases.push_back({"pow", "i64", {}, {integers(DType::i64, {5}, -3, 3), given(DType::i64, {}, {3})}});
  for (const char* op : {"lt", "le", "gt", "ge", "eq", "ne"}) {
    add_shapes(cases, op);
    cases.push_back({op, "i64", {}, {integers(DType::i64, {3, 5}, 0, 2), integers(DType::i64, {5}, 0, 2)}});
    cases.push_back({op, "f32_ties", {}, {integers(DType::f32, {3, 5}, 0, 2), integers(DType::f32, {3, 1}, 0, 2)}});
  }
  for (const char* op : {"logical_and", "logical_or", "logical_xor"}) {
    cases.push_back({op, "same", {}, {normal({3, 5}, DType::boolean), normal({3, 5}, DType::boolean)}});
    cases.push_back({op, "row", {}, {normal({3, 5}, DType::boolean), normal({1, 5}, DType::boolean)}});
  }
  cases.push_back({"mod",
                   "values",
                   {},
                   {given(DType::i64, {4}, {7, -7, 7, -7}), given(DType::i64, {4}, {3, 3, -3, -3})},
                   1,
                   0,
                   {{1, 2, -2, -1}}});
  cases.push_back({"fmod",
                   "values",
                   {},
                   {given(DType::i64, {4}, {7, -7, 7, -7}), given(DType::i64, {4}, {3, 3, -3, -3})},
                   1,
                   0,
                   {{1, -1, 1, -1}}});
  cases.push_back({"div",
                   "values",
                   {},
                   {given(DType::i32, {4}, {7, -7, 7, -7}), given(DType::i32, {4}, {2, 2, -2, -2})},
                   1,
                   0,
                   {{3, -3, -3, 3}}});
  add_contents(cases);
}

}  // namespace narae
