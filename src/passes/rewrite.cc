// SPDX-License-Identifier: Apache-2.0
#include "passes/rewrite.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "graph/updates.h"

namespace narae {

Rewriter::Rewriter(Graph& graph, PassContext& context) : graph_(graph), context_(context) {
  for (const Value* value : graph.outputs()) ++outputs_[value];
  for (const Node* node = graph.first(); node; node = node->next()) classify(node);
}

void Rewriter::classify(const Node* node) {
  const bool known = std::all_of(node->inputs().begin(), node->inputs().end(),
                                 [&](const Value* value) { return !value || constant(value); });
  if (known && depends_on_operands_only(*node)) constant_part_.insert(node);
}

Node* Rewriter::made_by(const Value* value, std::string_view op) const {
  ++context_.visited;
  return value && value->producer() && value->producer()->is(op) ? value->producer() : nullptr;
}

Node* Rewriter::made_only_for(const Value* value, std::string_view op) const {
  return value && read_once(value) ? made_by(value, op) : nullptr;
}

Builder Rewriter::before(Node* node) const {
  Builder builder(graph_, node);
  builder.set_origins(node->origins());
  return builder;
}

bool same_type(const Value* a, const Value* b) { return a->dtype() == b->dtype() && a->shape() == b->shape(); }

void Rewriter::redirect(Value* old_value, Value* fresh) {
  NARAE_CHECK(same_type(old_value, fresh));
  if (fresh->name().empty() && fresh->kind() == ValueKind::temporary) fresh->set_name(old_value->name());
  graph_.replace_uses(old_value, fresh);
  if (const auto it = outputs_.find(old_value); it != outputs_.end()) {
    outputs_[fresh] += it->second;
    outputs_.erase(old_value);
  }
  changed_ = true;
}

bool Rewriter::replace(Value* old_value, Value* fresh) {
  if (old_value->keep()) return false;
  const bool needed = !old_value->users().empty() || is_output(old_value);
  redirect(old_value, fresh);
  std::set<std::string> origins;
  if (old_value->producer()) erase_unused(old_value->producer(), &origins);
  // Where nothing reads it, the fresh value's producer may be among the erased.
  if (needed && fresh->producer()) fresh->producer()->add_origins(origins);
  return true;
}

bool Rewriter::replace(Node* node, const std::vector<Value*>& fresh) {
  for (const Value* value : node->outputs()) {
    if (value->keep()) return false;
  }
  for (size_t i = 0; i < fresh.size(); ++i) redirect(node->output(i), fresh[i]);
  erase_unused(node);
  return true;
}

void Rewriter::erase_unused(Node* node, std::set<std::string>* origins) {
  std::vector<Node*> pending{node};
  while (!pending.empty()) {
    Node* at = pending.back();
    pending.pop_back();
    ++context_.visited;
    const bool needed = std::any_of(at->outputs().begin(), at->outputs().end(),
                                    [&](const Value* value) { return !value->users().empty() || is_result(value); });
    if (needed || updates_any_state(*at)) continue;
    // A producer may stand twice among the operands; it must be pending once, as it is gone after the first time.
    std::vector<Node*> producers;
    for (Value* value : at->inputs()) {
      if (value && value->producer()) producers.push_back(value->producer());
    }
    if (origins) origins->insert(at->origins().begin(), at->origins().end());
    constant_part_.erase(at);  // the next node may get its address
    graph_.erase(at);
    changed_ = true;
    std::sort(producers.begin(), producers.end());
    producers.erase(std::unique(producers.begin(), producers.end()), producers.end());
    for (Node* producer : producers) {
      const bool unused = std::all_of(producer->outputs().begin(), producer->outputs().end(),
                                      [&](const Value* value) { return value->users().empty() && !is_result(value); });
      if (unused) pending.push_back(producer);
    }
  }
}

bool close_to(double a, double b) { return std::abs(a - b) <= 1e-5 * std::max(std::abs(a), std::abs(b)); }

WithScalar with_scalar(const Node* node) {
  WithScalar match;
  if (node->inputs().size() != 2 || !node->input(0) || !node->input(1)) return match;
  for (size_t i = 2; i-- > 0;) {
    if (!node->input(i)->scalar_constant(match.scalar)) continue;
    Value* other = node->input(1 - i);
    if (other->shape() != node->output()->shape()) continue;
    match.other = other;
    match.constant_first = i == 0;
    return match;
  }
  return match;
}

Value* other_than_scalar(const Node* node, std::string_view op, double scalar) {
  if (!node || !node->is(op)) return nullptr;
  const WithScalar match = with_scalar(node);
  if (!match || !close_to(match.scalar, scalar)) return nullptr;
  if (match.constant_first && !node->op().has(op_commutative)) return nullptr;
  return match.other;
}

bool depends_on_operands_only(const Node& node) {
  if (node.op().has(op_random)) return false;
  std::vector<Dim> dims;
  node.attribute_box()->collect_dims(dims);
  for (const Value* value : node.outputs()) dims.insert(dims.end(), value->shape().begin(), value->shape().end());
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_constant(); });
}

}  // namespace narae
