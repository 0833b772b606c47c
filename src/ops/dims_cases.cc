// SPDX-License-Identifier: Apache-2.0
#include "ops/dims.h"
#include "ops/op_case.h"

namespace narae {

void add_dims_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, DimsAttributes attributes, std::vector<double> expected) {
    cases.push_back({"dims", name, make_attributes(std::move(attributes)), {}, 1, 0, {std::move(expected)}});
    cases.back().carries_contents = true;
  };
  add("list", {{Dim(3), Dim(-1), Dim(7)}, false, DType::i64}, {3, -1, 7});
  add("scalar", {{Dim(5)}, true, DType::i32}, {5});
  add("empty", {{}, false, DType::i64}, {});
  add("f32", {{Dim(2), Dim(3)}, false, DType::f32}, {2, 3});
}

}  // namespace narae
