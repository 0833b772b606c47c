// SPDX-License-Identifier: Apache-2.0
// Expected values are onnxruntime's.
#include "ops/lp_norm.h"
#include "ops/pattern_input.h"

namespace narae {

void add_lp_norm_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, CaseInput x, int64_t axis, int64_t p) {
    cases.push_back({"lp_norm", name, make_attributes(LpNormAttributes{axis, p}), {std::move(x)}});
  };
  add("values_l1", pattern({2, 3, 2}, 5), 1, 1);
  cases.back().expected = {{-0.6666667, 0.1818182, -0.3333333, 0.4090909, 0, -0.4090909, 0.2173913, -0.3636364,
                            0.4347826, 0.09090909, -0.3478261, 0.5454546}};
  add("values_l2", pattern({2, 3, 2}, 5), 1, 2);
  cases.back().expected = {{-0.8944272, 0.2998127, -0.4472136, 0.6745785, 0, -0.6745785, 0.3636965, -0.5494422,
                            0.727393, 0.1373606, -0.5819144, 0.8241634}};
  add("zeros", given(DType::f32, {2, 2}, {0, 0, 3, 4}), 1, 2);
  cases.back().expected = {{0, 0, 0.6, 0.8}};
  add("rows", normal({5, 67}), 1, 2);
  add("f64", normal({5, 7}, DType::f64), 0, 1);
}

}  // namespace narae
