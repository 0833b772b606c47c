// SPDX-License-Identifier: Apache-2.0
// Expected values of odd sizes are onnxruntime's, which knows no even ones.
#include "ops/lrn.h"
#include "ops/pattern_input.h"

namespace narae {

void add_lrn_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, CaseInput x, LrnAttributes a) {
    cases.push_back({"lrn", name, make_attributes(a), {std::move(x)}});
  };
  add("values", pattern({1, 5, 2, 1}, 5), {3, 0.5, 0.6, 2.0});
  cases.back().expected = {
      {-1.220864, 0.5162072, -0.6104318, 1.001438, 0, -1.001438, 0.6104318, -0.5151384, 1.220864, 0.1567527}};
  // Size 2 looks one channel ahead.
  add("even_size", given(DType::f32, {1, 2}, {1, 2}), {2, 4, 1, 1});
  cases.back().expected = {{1.0 / 11, 2.0 / 9}};
  add("image", normal({2, 19, 5, 3}), {5, 1e-4, 0.75, 1.0});
  add("size_above_channels", normal({2, 3, 4}), {9, 1.0, 0.5, 2.0});
}

}  // namespace narae
