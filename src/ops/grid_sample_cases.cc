// SPDX-License-Identifier: Apache-2.0
// Expected values are onnxruntime's; of three axes those of the onnx package's reference evaluator.
#include "ops/grid_sample.h"
#include "ops/pattern_input.h"

namespace narae {

void add_grid_sample_cases(std::vector<OpCase>& cases) {
  auto add = [&](const std::string& name, GridSampleAttributes a, CaseInput x, CaseInput grid,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back(
        {"grid_sample", name, make_attributes(a), {std::move(x), std::move(grid)}, 1, 1e-5, std::move(expected)});
  };
  const CaseInput x = pattern({1, 2, 3, 4}, 1), grid = pattern({1, 2, 3, 2}, 3, 0.13);
  add("linear_zeros", {"linear", "zeros", false}, x, grid,
      {{0.7402502, 0, -0.11025, 0.06125002, 0.4970001, 0, -0.4688252, 0, 0.3184998, -0.214375, 0.3379998, 0}});
  add("linear_border", {"linear", "border", false}, x, grid,
      {{1.7625, -0.5500001, -0.4500001, 0.25, 0.4970001, 1.61625, -1.11625, 1.2, 1.3, -0.875, 0.3379998, -1.2625}});
  add("linear_reflection", {"linear", "reflection", true}, x, grid,
      {{1.75985, -0.9705, -1.093063, 0.18625, 0.68225, 0.5888755, -1.23735, 0.7795, 0.6569375, -0.4500001, -0.4485001,
        -0.7488753}});
  add("nearest_border", {"nearest", "border", false}, x, grid,
      {{2.25, 0, 0, 2, -0.25, 2.25, -1.75, 1.75, 1.75, -2, 1.5, -1.75}});
  add("nearest_reflection", {"nearest", "reflection", false}, x, grid,
      {{2.25, 0, 0, 2, -0.25, 2.25, -1.75, 1.75, 1.75, -2, 1.5, -1.75}});
  add("cubic_zeros", {"cubic", "zeros", true}, x, grid,
      {{2.239122, -0.9073695, -1.384392, 0.2462584, 0.9569206, 1.48482, -1.568911, 0.1607062, 0.7728628, -1.520877,
        -0.6899977, -1.155519}});
  add("cubic_reflection", {"cubic", "reflection", false}, x, grid,
      {{2.689668, -0.6756276, -0.2927122, 0.3020242, 0.554027, 1.667728, -1.761917, 1.10448, 1.614431, -1.910461,
        0.3492746, -1.497018}});
  add("three_axes", {"linear", "zeros", false}, pattern({1, 1, 2, 3, 2}, 1), pattern({1, 2, 2, 1, 3}, 3, 0.1),
      {{-0.153125, 0.55125, 0.325, -0.1225}});
  add("images", {"linear", "zeros", false}, normal({2, 17, 6, 5}), uniform({2, 7, 9, 2}, -1.2, 1.2));
}

}  // namespace narae
