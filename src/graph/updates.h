// SPDX-License-Identifier: Apache-2.0
// Which results of a node are operands with some rows written: of an op that updates the first, of a fused node what
// its body says.
#pragma once

#include "graph/graph.h"

namespace narae {

// The index of the operand whose contents result `output` continues; -1: it is a result of its own.
int updated_operand(const Node& node, size_t output);
// The same where that operand is a state or its latest contents: it is written in place.
int updated_state(const Node& node, size_t output);
// Some result does: the node is never dead.
bool updates_any_state(const Node& node);

}  // namespace narae
