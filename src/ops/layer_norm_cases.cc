// SPDX-License-Identifier: Apache-2.0
// Expected values are onnxruntime's.
#include "ops/layer_norm.h"
#include "ops/pattern_input.h"

namespace narae {

void add_layer_norm_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* op, const char* name, std::vector<CaseInput> inputs, int64_t axis, int outputs = 1,
                 double tolerance = 1e-5) {
    cases.push_back(
        {op, name, make_attributes(LayerNormAttributes{axis, 0.01}), std::move(inputs), outputs, tolerance});
  };
  add("layer_norm", "values", {pattern({2, 3, 4}, 5), pattern({3, 4}, 1), pattern({4}, 2)}, 1, 3);
  cases.back().expected = {{-2.601764, 1.092664, -1.706675, -2.836393, -1.530862, 0.679117,   -1.191283,  -3.805452,
                            -1.5,      1.638918, -1.715933, -3.401163, -1.746547, -0.5750515, 0.5535622,  -2.271715,
                            -4.33073,  1.817372, 1.621935,  -1.267263, -1.5,      -0.8763873, -0.2956569, -1.148555},
                           {-0.02083333, -0.1875},
                           {0.5925456, 0.5844088}};
  add("rms_norm", "values", {pattern({2, 3, 4}, 5), pattern({4}, 1)}, 2);
  cases.back().expected = {{-1.005286,  -0.8042288, -1.340381,  -0.3015858, 0,          2.438079,
                            1.805984,   0.1805984,  1.056338,   -0.2112676, -2.253521,  -0.2112676,
                            -0.3320694, -2.435176,  0.5903456,  0.2582762,  0.7748286,  0.4427592,
                            -3.246901,  -0.1106898, -0.6338028, -1.690141,  -0.2816902, 0.3521127}};
  for (const char* op : {"layer_norm", "rms_norm"}) {
    add(op, "rows", {normal({2, 5, 67}), normal({67}).as_constant()}, 2);
    add(op, "all_axes", {normal({3, 4}), normal({3, 4}).as_constant()}, 0);
    add(op, "scale_broadcasts", {normal({2, 3, 4}), normal({3, 1}).as_constant()}, 1);
    add(op, "f64", {normal({3, 9}, DType::f64), normal({9}, DType::f64)}, 1);
    add(op, "f16", {normal({3, 9}, DType::f16), normal({9}, DType::f16)}, 1, 1, 5e-3);
    add(op, "no_rows", {normal({0, 9}), normal({9})}, 1);
  }
  add("layer_norm", "bias", {normal({7, 64}), normal({64}).as_constant(), normal({64}).as_constant()}, 1);
  add("layer_norm", "far_from_zero", {uniform({4, 32}, 1000, 1001), normal({32}), normal({32})}, 1, 1, 1e-3);
  // A narrow operand has f32 statistics.
  add("layer_norm", "f16_statistics", {normal({3, 9}, DType::f16), normal({9}, DType::f16)}, 1, 3, 5e-3);
}

}  // namespace narae
