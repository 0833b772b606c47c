// SPDX-License-Identifier: Apache-2.0
#include "graph/updates.h"

#include <algorithm>

namespace narae {
namespace {

// The input of the body that `value` continues; -1: none.
int updated_input(const Graph& body, const Value* value) {
  bool updated = false;
  while (value->producer()) {
    const Node& node = *value->producer();
    const auto& outputs = node.outputs();
    const int operand =
        updated_operand(node, static_cast<size_t>(std::find(outputs.begin(), outputs.end(), value) - outputs.begin()));
    if (operand < 0) return -1;
    value = node.input(static_cast<size_t>(operand));
    updated = true;
  }
  const auto at = std::find(body.inputs().begin(), body.inputs().end(), value);
  return updated && at != body.inputs().end() ? static_cast<int>(at - body.inputs().begin()) : -1;
}

}  // namespace

int updated_operand(const Node& node, size_t output) {
  if (node.op().has(op_updates)) return output == 0 ? 0 : -1;
  if (!node.is("fused") || node.bodies().size() != 1) return -1;
  return updated_input(*node.bodies()[0], node.bodies()[0]->outputs()[output]);
}

int updated_state(const Node& node, size_t output) {
  const int operand = updated_operand(node, output);
  return operand >= 0 && node.input(static_cast<size_t>(operand))->state() ? operand : -1;
}

bool updates_any_state(const Node& node) {
  if (!node.is("fused")) return node.updates_state();
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    if (updated_state(node, i) >= 0) return true;
  }
  return false;
}

}  // namespace narae
