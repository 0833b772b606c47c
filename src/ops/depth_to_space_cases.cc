// SPDX-License-Identifier: Apache-2.0
#include "ops/depth_to_space.h"
#include "ops/op_case.h"

namespace narae {

void add_depth_to_space_cases(std::vector<OpCase>& cases) {
  auto to_space = [&](const std::string& name, int64_t block, const std::string& mode, CaseInput x,
                      std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"depth_to_space",
                     name,
                     make_attributes(DepthToSpaceAttributes{block, mode}),
                     {std::move(x)},
                     1,
                     0,
                     std::move(expected)});
  };
  const CaseInput eight = given(DType::f32, {1, 8, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7});
  to_space("dcr", 2, "DCR", eight, {{0, 2, 4, 6, 1, 3, 5, 7}});
  to_space("crd", 2, "CRD", eight, {{0, 1, 2, 3, 4, 5, 6, 7}});
  for (const char* mode : {"DCR", "CRD"}) {
    const std::string name = mode;
    to_space(name + "_image", 2, mode, normal({2, 12, 3, 5}));
    to_space(name + "_three", 3, mode, normal({1, 9, 4, 2}));
    to_space(name + "_one", 1, mode, normal({2, 3, 4, 5}));
    to_space(name + "_u8", 2, mode, integers(DType::u8, {1, 4, 3, 3}, 0, 255));
    to_space(name + "_f16", 2, mode, normal({1, 8, 3, 3}, DType::f16));
    to_space(name + "_empty", 2, mode, normal({0, 4, 3, 3}));
  }

  auto to_depth = [&](const std::string& name, int64_t block, CaseInput x,
                      std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"space_to_depth",
                     name,
                     make_attributes(SpaceToDepthAttributes{block}),
                     {std::move(x)},
                     1,
                     0,
                     std::move(expected)});
  };
  to_depth("values", 2, given(DType::f32, {1, 2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7}), {{0, 1, 2, 3, 4, 5, 6, 7}});
  to_depth("image", 2, normal({2, 3, 6, 10}));
  to_depth("three", 3, normal({1, 2, 6, 3}));
  to_depth("i64", 2, integers(DType::i64, {1, 1, 2, 4}, -9, 9));
  to_depth("empty", 2, normal({0, 3, 2, 2}));
}

}  // namespace narae
