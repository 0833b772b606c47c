// SPDX-License-Identifier: Apache-2.0
// Expected values are onnxruntime's.
#include "ops/batch_norm.h"
#include "ops/pattern_input.h"

namespace narae {

void add_batch_norm_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, CaseInput x, int64_t channels, DType dtype = DType::f32, double tolerance = 1e-5) {
    cases.push_back({"batch_norm",
                     name,
                     make_attributes(BatchNormAttributes{1e-3}),
                     {std::move(x), normal({channels}, dtype).as_constant(), normal({channels}, dtype).as_constant(),
                      normal({channels}, dtype).as_constant(), uniform({channels}, 0.2, 2, dtype).as_constant()},
                     1,
                     tolerance});
  };
  cases.push_back({"batch_norm",
                   "values",
                   make_attributes(BatchNormAttributes{0.01}),
                   {pattern({2, 3, 2}, 5), pattern({3}, 1), pattern({3}, 2), pattern({3}, 3),
                    given(DType::f32, {3}, {0.75, 3, 1.5})}});
  cases.back().expected = {{-5.37139, -2.360309, 2.864586, -0.1614639, 3.818943, 0.1568944, -2.145232, -4.080927,
                            -0.3776103, 1.567707, 0.5637887, 6.260308}};
  add("image", normal({2, 19, 5, 7}), 19);
  add("matrix", normal({5, 33}), 33);
  add("vector", normal({5}), 1);
  add("volume", normal({1, 4, 2, 3, 4}), 4);
  add("f16_by_f32", normal({2, 3, 4}, DType::f16), 3, DType::f32, 5e-3);
  add("f64", normal({2, 3, 4}, DType::f64), 3, DType::f64);
}

}  // namespace narae
