// SPDX-License-Identifier: Apache-2.0
#include "graph/inline_body.h"

#include "base/error.h"

namespace narae {

Node* inline_body(Graph& graph, Node* node) {
  NARAE_CHECK(node->bodies().size() == 1);
  const Graph& body = *node->bodies()[0];
  std::unordered_map<const Value*, Value*> map;
  for (size_t i = 0; i < body.inputs().size(); ++i) map[body.inputs()[i]] = node->input(i);
  for (const auto& value : body.values()) {
    if (value->is_constant()) map[value.get()] = graph.add_constant(value->tensor(), value->name());
  }
  Node* first = nullptr;
  for (const Node* inner = body.first(); inner; inner = inner->next()) {
    std::vector<Value*> operands;
    for (const Value* value : inner->inputs()) operands.push_back(value ? map.at(value) : nullptr);
    std::unique_ptr<Graph> nested;
    if (!inner->bodies().empty()) nested = inner->bodies()[0]->clone();
    Node* made = graph.add_node(&inner->op(), inner->attribute_box(), std::move(operands),
                                static_cast<int>(inner->outputs().size()), node, std::move(nested));
    made->add_origins(inner->origins().empty() ? node->origins() : inner->origins());
    for (size_t i = 0; i < made->outputs().size(); ++i) map[inner->output(i)] = made->output(i);
    if (!first) first = made;
  }
  for (size_t i = 0; i < node->outputs().size(); ++i) {
    Value* result = map.at(body.outputs()[i]);
    if (result->producer() && result->name().empty()) result->set_name(node->output(i)->name());
    if (node->output(i)->keep()) result->set_keep(true);
    graph.replace_uses(node->output(i), result);
  }
  for (Value* value : node->outputs()) value->set_keep(false);
  graph.erase(node);
  return first;
}

std::unique_ptr<Graph> body_on_operands(const Node& node) {
  NARAE_CHECK(node.bodies().size() == 1);
  std::unique_ptr<Graph> body = node.bodies()[0]->clone();
  for (size_t i = 0; i < body->inputs().size(); ++i) {
    const Value* operand = node.input(i);
    if (operand && operand->is_constant()) {
      body->replace_uses(body->inputs()[i], body->add_constant(operand->tensor(), operand->name()));
    }
  }
  return body;
}

}  // namespace narae
