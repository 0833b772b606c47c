// SPDX-License-Identifier: Apache-2.0
// Expected values are onnxruntime's.
#include "ops/pattern_input.h"
#include "ops/roi_align.h"

namespace narae {

void add_roi_align_cases(std::vector<OpCase>& cases) {
  const CaseInput rois = given(DType::f32, {2, 4}, {0.5, 1, 4, 4.5, -3, 0, 2, 7}),
                  images = given(DType::i64, {2}, {1, 0});
  auto add = [&](const char* name, RoiAlignAttributes a, CaseInput x, std::vector<std::vector<double>> expected = {}) {
    cases.push_back(
        {"roi_align", name, make_attributes(a), {std::move(x), rois, images}, 1, 1e-5, std::move(expected)});
  };
  add("average", {2, 3, 2, 0.75, true, false}, pattern({2, 1, 6, 5}, 1),
      {{1.773438, -0.1953125, -1.355469, 1.02063, 0.1082458, -1.027344, 0, 0.4765625, 0.109375, 0, 0.8046875,
        0.765625}});
  add("maximum", {2, 2, 0, 1, false, true}, pattern({2, 1, 6, 5}, 1),
      {{0.3222656, 0.8271484, 0.8789062, 1.450195, 1.40625, 1.503906, 2, 2}});
  add("channels", {3, 3, 0, 1, true, false}, normal({2, 7, 6, 5}));
}

}  // namespace narae
