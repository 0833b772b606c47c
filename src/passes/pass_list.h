// SPDX-License-Identifier: Apache-2.0
// All passes in the order of passes.inc; nothing else lists them.
#pragma once

#include <vector>

#include "passes/pass.h"

namespace narae {

const std::vector<Pass>& portable_passes();
const std::vector<Pass>& target_passes();

#define NARAE_PASS(name, description) bool name(Graph& graph, PassContext& context);
#define NARAE_TARGET_PASS(name, description) bool name(Graph& graph, const Target& target, PassContext& context);
namespace passes {
#include "passes/passes.inc"
}
#undef NARAE_PASS
#undef NARAE_TARGET_PASS

}  // namespace narae
