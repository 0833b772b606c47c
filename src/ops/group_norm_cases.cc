// SPDX-License-Identifier: Apache-2.0
// Expected values are onnxruntime's.
#include "ops/group_norm.h"
#include "ops/pattern_input.h"

namespace narae {

void add_group_norm_cases(std::vector<OpCase>& cases) {
  auto instance = [&](const char* name, CaseInput x, CaseInput scale, CaseInput bias, double tolerance = 1e-5) {
    cases.push_back({"instance_norm",
                     name,
                     make_attributes(InstanceNormAttributes{0.01}),
                     {std::move(x), std::move(scale), std::move(bias)},
                     1,
                     tolerance});
  };
  auto group = [&](const char* name, int64_t groups, CaseInput x, CaseInput scale, CaseInput bias) {
    cases.push_back({"group_norm",
                     name,
                     make_attributes(GroupNormAttributes{groups, 0.01}),
                     {std::move(x), std::move(scale), std::move(bias)}});
  };
  instance("values", pattern({2, 3, 4}, 5), pattern({3}, 1), pattern({3}, 2));
  cases.back().expected = {{-2.457174,   -1.046602,  -1.953398, -0.5428261, 1.41898,   4.03357,
                            -0.03357041, 2.58102,    2.051733,  -0.6212473, -3.294228, 0.863742,
                            -1.917653,   -0.3584144, -1.360782, -2.36315,   0.2736999, 2.278435,
                            4.283171,    1.164693,   -1.363742, 2.794228,   0.1212473, -2.551733}};
  instance("image", normal({2, 5, 6, 7}), normal({5}).as_constant(), normal({5}).as_constant());
  instance("volume", normal({1, 3, 2, 3, 4}), normal({3}), normal({3}));
  instance("f16", normal({2, 3, 5}, DType::f16), normal({3}, DType::f16), normal({3}, DType::f16), 1e-2);
  group("values", 2, pattern({2, 4, 2}, 5), pattern({4}, 1), pattern({4}, 2));
  cases.back().expected = {{-2.457174, -1.046602, 2.906796, 0.08565259, 0.5246935, -2.961427, -2.838928, -2.403163,
                            -0.6368499, -1.639218, 4.283171, 1.164693, -1.363742, 2.794228, -2.546406, -2.212283}};
  group("image", 4, normal({2, 16, 5, 3}), normal({16}).as_constant(), normal({16}).as_constant());
  group("one_group", 1, normal({2, 6, 5}), normal({6}), normal({6}));
  group("matrix", 2, normal({3, 8}), normal({8}), normal({8}));
}

}  // namespace narae
