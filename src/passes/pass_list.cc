// SPDX-License-Identifier: Apache-2.0
#include "passes/pass_list.h"

namespace narae {

const std::vector<Pass>& portable_passes() {
  static const std::vector<Pass> list = {
#define NARAE_PASS(name, description) {#name, description, passes::name, nullptr},
#define NARAE_TARGET_PASS(name, description)
#include "passes/passes.inc"
#undef NARAE_PASS
#undef NARAE_TARGET_PASS
  };
  return list;
}

const std::vector<Pass>& target_passes() {
  static const std::vector<Pass> list = {
#define NARAE_PASS(name, description)
#define NARAE_TARGET_PASS(name, description) {#name, description, nullptr, passes::name},
#include "passes/passes.inc"
#undef NARAE_PASS
#undef NARAE_TARGET_PASS
  };
  return list;
}

}  // namespace narae
