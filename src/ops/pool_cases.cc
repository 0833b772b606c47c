// SPDX-License-Identifier: Apache-2.0
// Expected values are onnxruntime's.
#include "ops/pattern_input.h"
#include "ops/pool.h"

namespace narae {
namespace {

template <typename A>
void add(std::vector<OpCase>& cases, const char* op, const char* name, CaseInput x, A attributes, int outputs = 1) {
  cases.push_back({op, name, make_attributes(std::move(attributes)), {std::move(x)}, outputs, 1e-5});
}

void add_max(std::vector<OpCase>& cases) {
  add(cases, "max_pool", "values_ceil", pattern({1, 2, 5, 6}, 1),
      MaxPoolAttributes{{3, 2}, {2, 2}, {1, 1}, {1, 0, 0, 0}, true, false}, 2);
  cases.back().expected = {{2.25, 2, 1.25, 2.5, 1.75, 2.75, 2, 1.75, 1, 2.25, 1.5, 2.75, 2, 1.5, 2.75, 2, 1.25, 2.5},
                           {7, 2, 10, 12, 20, 17, 25, 20, 28, 30, 38, 40, 48, 38, 40, 48, 56, 58}};
  add(cases, "max_pool", "values_dilated_column_major", pattern({1, 1, 4, 5}, 4),
      MaxPoolAttributes{{2, 2}, {1, 1}, {2, 1}, {0, 0, 0, 0}, false, true}, 2);
  cases.back().expected = {{0.25, 1.5, 1.5, 2.75, 0.5, 1.75, 1.75, 2.5}, {2, 10, 10, 18, 3, 11, 11, 17}};
  // A second window would start in the trailing padding.
  add(cases, "max_pool", "last_window_starts_inside", given(DType::f32, {1, 1, 3}, {1, 5, 9}),
      MaxPoolAttributes{{2}, {3}, {1}, {0, 1}, true, false});
  cases.back().expected = {{5}};
  const MaxPoolAttributes halve{{2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}, false, false};
  add(cases, "max_pool", "2x2", normal({2, 19, 8, 6}), halve);
  add(cases, "max_pool", "3x3_stride", normal({2, 16, 9, 11}),
      MaxPoolAttributes{{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, false, false});
  add(cases, "max_pool", "5x5_same", normal({1, 8, 7, 7}),
      MaxPoolAttributes{{5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}, false, false});
  add(cases, "max_pool", "one_axis", normal({2, 5, 17}), MaxPoolAttributes{{3}, {2}, {1}, {0, 0}, true, false});
  add(cases, "max_pool", "three_axes", normal({1, 3, 5, 6, 4}),
      MaxPoolAttributes{{2, 3, 2}, {2, 1, 2}, {1, 1, 1}, {0, 1, 0, 0, 1, 0}, false, false}, 2);
  add(cases, "max_pool", "i8", integers(DType::i8, {1, 2, 5, 5}, -128, 127), halve);
  add(cases, "max_pool", "u8", integers(DType::u8, {1, 2, 5, 5}, 0, 255), halve);
  add(cases, "max_pool", "f16", normal({1, 2, 5, 5}, DType::f16), halve);
  add(cases, "max_pool", "no_images", normal({0, 2, 4, 4}), halve);
}

void add_average(std::vector<OpCase>& cases) {
  AvgPoolAttributes a{{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, true, false};
  add(cases, "avg_pool", "values_without_pads", pattern({1, 1, 5, 6}, 1), a);
  cases.back().expected = {{0.0625, 0.04166667, -0.625, 0, 0.4166667, -0.08333334, -0.1111111, 0.8333333, -0.1875,
                            -0.2083333, -0.875, -0.25}};
  a.count_include_pad = true;
  add(cases, "avg_pool", "values_with_pads", pattern({1, 1, 5, 6}, 1), a);
  cases.back().expected = {{0.02777778, 0.02777778, -0.4166667, 0, 0.2777778, -0.08333334, -0.1111111, 0.4166667,
                            -0.08333334, -0.1388889, -0.5833333, -0.08333334}};
  add(cases, "avg_pool", "2x2", normal({2, 17, 8, 6}),
      AvgPoolAttributes{{2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}, false, false});
  add(cases, "avg_pool", "dilated", normal({1, 3, 9, 8}),
      AvgPoolAttributes{{2, 3}, {1, 2}, {3, 2}, {1, 1, 2, 0}, false, false});
  add(cases, "avg_pool", "one_axis", normal({2, 5, 17}), AvgPoolAttributes{{3}, {2}, {1}, {1, 1}, false, true});
  add(cases, "avg_pool", "three_axes", normal({1, 3, 5, 6, 4}),
      AvgPoolAttributes{{2, 3, 2}, {2, 1, 2}, {1, 1, 1}, {0, 1, 0, 0, 1, 0}, false, false});
}

}  // namespace

void add_pool_cases(std::vector<OpCase>& cases) {
  add_max(cases);
  add_average(cases);
  add(cases, "lp_pool", "values_cubes", pattern({1, 1, 4, 4}, 1),
      LpPoolAttributes{{2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}, false, 3});
  cases.back().expected = {{2.733371, 2.774573, 3.001157, 2.428826}};
  add(cases, "lp_pool", "squares", normal({2, 3, 7, 7}),
      LpPoolAttributes{{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, true, 2});
}

}  // namespace narae
