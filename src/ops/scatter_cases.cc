// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"
#include "ops/scatter.h"

namespace narae {
namespace {

void add_elements(std::vector<OpCase>& cases) {
  auto add = [&](const std::string& name, int64_t axis, const std::string& reduction, CaseInput x, CaseInput indices,
                 CaseInput updates, std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"scatter_elements",
                     name,
                     make_attributes(ScatterElementsAttributes{axis, reduction}),
                     {std::move(x), std::move(indices), std::move(updates)},
                     1,
                     1e-6,
                     std::move(expected)});
  };
  const DType i64 = DType::i64;
  const CaseInput zeros = given(DType::f32, {3, 3}, {0, 0, 0, 0, 0, 0, 0, 0, 0});
  const CaseInput updates = given(DType::f32, {2, 3}, {1, 1.1, 1.2, 2, 2.1, 2.2});
  add("axis0", 0, "none", zeros, given(i64, {2, 3}, {1, 0, 2, 0, 2, 1}), updates,
      {{2, 1.1, 0, 1, 0, 2.2, 0, 2.1, 1.2}});
  const CaseInput five = given(DType::f32, {1, 5}, {1, 2, 3, 4, 5}), two = given(DType::f32, {1, 2}, {1.1, 2.1});
  add("axis1", 1, "none", five, given(i64, {1, 2}, {1, 3}), two, {{1, 1.1, 3, 2.1, 5}});
  add("negative", -1, "none", five, given(i64, {1, 2}, {1, -2}), two, {{1, 1.1, 3, 2.1, 5}});
  const CaseInput same = given(i64, {1, 2}, {1, 1});
  add("add", 1, "add", five, same, two, {{1, 5.2, 3, 4, 5}});
  add("mul", 1, "mul", five, same, two, {{1, 4.62, 3, 4, 5}});
  add("min", 1, "min", five, same, two, {{1, 1.1, 3, 4, 5}});
  add("max", 1, "max", five, same, two, {{1, 2.1, 3, 4, 5}});
  for (const char* reduction : {"none", "add", "mul", "min", "max"}) {
    const std::string name = reduction;
    add("rank3_" + name, 1, reduction, normal({3, 7, 5}), given(i64, {2, 3, 1}, {0, 6, -2, 4, 1, 3}),
        normal({2, 3, 1}));
    add("i64_" + name, 0, reduction, integers(i64, {5}, -9, 9), integers(DType::i32, {9}, -5, 4),
        integers(i64, {9}, -3, 3));
  }
  add("f16", 0, "none", normal({5}, DType::f16), given(i64, {2}, {4, 0}), normal({2}, DType::f16));
  add("nothing", 0, "none", normal({3, 2}), normal({0, 2}, i64), normal({0, 2}));
}

void add_nd(std::vector<OpCase>& cases) {
  auto add = [&](const std::string& name, const std::string& reduction, CaseInput x, CaseInput indices,
                 CaseInput updates, std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"scatter_nd",
                     name,
                     make_attributes(ScatterNdAttributes{reduction}),
                     {std::move(x), std::move(indices), std::move(updates)},
                     1,
                     1e-6,
                     std::move(expected)});
  };
  const DType i64 = DType::i64;
  const CaseInput eight = given(DType::f32, {8}, {1, 2, 3, 4, 5, 6, 7, 8});
  add("elements", "none", eight, given(i64, {4, 1}, {4, 3, 1, 7}), given(DType::f32, {4}, {9, 10, 11, 12}),
      {{1, 11, 3, 10, 9, 6, 7, 12}});
  const CaseInput matrix = given(DType::f32, {2, 2}, {1, 2, 3, 4});
  add("rows", "none", matrix, given(i64, {1, 1}, {-1}), given(DType::f32, {1, 2}, {7, 8}), {{1, 2, 7, 8}});
  add("add", "add", matrix, given(i64, {3, 2}, {0, 0, 0, 0, 1, 1}), given(DType::f32, {3}, {1, 2, 3}), {{4, 2, 3, 7}});
  add("whole", "mul", matrix, normal({2, 0}, i64), given(DType::f32, {2, 2, 2}, {1, 2, 3, 4, 1, 1, 1, 1}),
      {{1, 4, 9, 16}});
  for (const char* reduction : {"none", "add", "mul", "min", "max"}) {
    add(std::string("rank3_") + reduction, reduction, normal({4, 5, 6}),
        given(i64, {2, 2, 2}, {0, 0, 3, 4, 1, -1, 2, 2}), normal({2, 2, 6}));
  }
  add("i64", "add", integers(i64, {5}, -9, 9), integers(DType::i32, {9, 1}, -5, 4), integers(i64, {9}, -3, 3));
  add("f16", "max", normal({5, 2}, DType::f16), given(i64, {2, 1}, {4, 4}), normal({2, 2}, DType::f16));
  add("nothing", "none", normal({3, 2}), normal({0, 1}, i64), normal({0, 2}));
}

}  // namespace

void add_scatter_cases(std::vector<OpCase>& cases) {
  add_elements(cases);
  add_nd(cases);
}

}  // namespace narae
