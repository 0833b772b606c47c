// SPDX-License-Identifier: Apache-2.0
// Expected values are onnxruntime's.
#include "ops/pattern_input.h"
#include "ops/softmax.h"

namespace narae {

void add_softmax_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* op, const char* name, CaseInput x, int64_t axis, double tolerance = 1e-5) {
    cases.push_back({op, name, make_attributes(SoftmaxAttributes{axis}), {std::move(x)}, 1, tolerance});
  };
  add("softmax", "values", pattern({2, 3, 2}, 5), 1);
  cases.back().expected = {{0.05997779, 0.2207936, 0.2093431, 0.7706454, 0.7306791, 0.008561097, 0.2207936, 0.05997779,
                            0.7706454, 0.2093431, 0.008561097, 0.7306791}};
  add("log_softmax", "values", pattern({2, 3, 2}, 5), 1);
  cases.back().expected = {{-2.813781, -1.510527, -1.563781, -0.260527, -0.3137809, -4.760527, -1.510527, -2.813781,
                            -0.260527, -1.563781, -4.760527, -0.3137809}};
  add("hardmax", "values", pattern({2, 3, 2}, 5), 1);
  cases.back().expected = {{0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1}};
  add("hardmax", "first_of_equals", given(DType::f32, {4}, {1, 2, 2, 0}), 0);
  cases.back().expected = {{0, 1, 0, 0}};
  for (const char* op : {"softmax", "log_softmax", "hardmax"}) {
    add(op, "rows", normal({5, 67}), 1);
    add(op, "columns", normal({67, 5}), 0);
    add(op, "middle", normal({3, 9, 5}), 1);
    add(op, "attention", normal({2, 3, 17, 17}), 3);
    add(op, "one", normal({4, 1}), 1);
    add(op, "large", uniform({3, 8}, 900, 1000), 1, 1e-4);
    add(op, "no_rows", normal({0, 5}), 1);
    add(op, "f16", normal({3, 9}, DType::f16), 1, 5e-3);
    add(op, "f64", normal({3, 9}, DType::f64), 1);
  }
}

}  // namespace narae
