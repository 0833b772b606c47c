// SPDX-License-Identifier: Apache-2.0
#include "passes/fused_body.h"

#include <algorithm>

#include "base/error.h"

namespace narae {
namespace {

// The body of an outer `fused` node, which is spliced rather than nested.
const Graph* body_of(const Node& node) { return node.is("fused") ? node.bodies()[0].get() : nullptr; }

bool scalar_type(const Value* value) { return value->dtype() == DType::f32 || value->dtype() == DType::boolean; }

}  // namespace

bool scalar_f32(const Node& node) {
  if (!node.op().scalar || !node.op().has(op_pointwise) || node.outputs().size() != 1) return false;
  if (!scalar_type(node.output())) return false;
  if (node.is("cast") && is_integer(node.input(0)->dtype())) return true;  // enters as f32, rounded once
  return std::all_of(node.inputs().begin(), node.inputs().end(),
                     [](const Value* value) { return value && scalar_type(value); });
}

const Node* inner_anchor(const Node& node) {
  if (!node.is("fused")) return node.op().has(op_contraction) ? &node : nullptr;
  const Node* anchor = nullptr;
  for (const Node* inner = node.bodies()[0]->first(); inner; inner = inner->next()) {
    if (!inner->op().has(op_contraction)) continue;
    if (anchor) return nullptr;
    anchor = inner;
  }
  return anchor;
}

FusedBody::FusedBody(Graph& outer) : body_(std::make_unique<Graph>(outer.ops())) {}

// The body is a graph of its own and declares the symbols it speaks of.
void FusedBody::declare(const std::vector<Dim>& dims) {
  std::vector<Dim> symbols;
  for (const Dim& dim : dims) dim.collect_symbols(symbols);
  for (const Dim& symbol : symbols) body_->add_symbol(symbol);
}

Value* FusedBody::inside(const Value* outer) {
  if (!outer) return nullptr;
  Value*& value = inside_[outer];
  if (value) return value;
  if (outer->is_constant() && outer->tensor().count() == 1)
    return value = body_->add_constant(outer->tensor(), outer->name());
  declare(outer->shape());
  value = body_->add_input(outer->name(), outer->dtype(), outer->shape());
  operands_.push_back(const_cast<Value*>(outer));
  return value;
}

void FusedBody::clone(const Node* node, std::unordered_map<const Value*, Value*>& names, bool members) {
  std::vector<Value*> inputs;
  for (const Value* value : node->inputs()) {
    if (members) {
      inputs.push_back(inside(value));
    } else {
      inputs.push_back(value ? names.at(value) : nullptr);
    }
  }
  std::vector<Dim> dims;
  node->attribute_box()->collect_dims(dims);
  declare(dims);
  const Graph* own = body_of(*node);
  Node* fresh = body_->add_node(&node->op(), node->attribute_box(), std::move(inputs),
                                static_cast<int>(node->outputs().size()), nullptr, own ? own->clone() : nullptr);
  fresh->add_origins(node->origins());
  for (size_t i = 0; i < node->outputs().size(); ++i) {
    fresh->output(i)->set_name(node->output(i)->name());
    names[node->output(i)] = fresh->output(i);
  }
}

void FusedBody::add_whole(const Node* member) {
  members_.push_back(const_cast<Node*>(member));
  origins_.insert(member->origins().begin(), member->origins().end());
  clone(member, inside_, true);
}

void FusedBody::add(const Node* member) {
  const Graph* inner = body_of(*member);
  if (!inner) return add_whole(member);
  members_.push_back(const_cast<Node*>(member));
  origins_.insert(member->origins().begin(), member->origins().end());
  std::unordered_map<const Value*, Value*> names;
  for (size_t i = 0; i < member->inputs().size(); ++i) names[inner->inputs()[i]] = inside(member->input(i));
  for (const auto& value : inner->values()) {
    if (value->is_constant()) names[value.get()] = body_->add_constant(value->tensor(), value->name());
  }
  for (const Node* node = inner->first(); node; node = node->next()) clone(node, names, false);
  for (size_t i = 0; i < member->outputs().size(); ++i) inside_[member->output(i)] = names.at(inner->outputs()[i]);
}

void FusedBody::add_output(Value* value) {
  outputs_.push_back(value);
  body_->add_output(inside_.at(value), value->name());
}

Node* FusedBody::finish(Rewriter& rewriter, const char* kind, Node* place) {
  Graph& graph = rewriter.graph();
  body_->clear_guards();
  Node* fused = graph.add_node(graph.ops().get("fused"), make_attributes(FusedAttributes{kind}), operands_,
                               static_cast<int>(outputs_.size()), place, std::move(body_));
  fused->add_origins(origins_);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    Value* fresh = fused->output(i);
    fresh->set_name(outputs_[i]->name());
    fresh->set_keep(outputs_[i]->keep());
    outputs_[i]->set_keep(false);
    rewriter.redirect(outputs_[i], fresh);
  }
  for (auto it = members_.rbegin(); it != members_.rend(); ++it) graph.erase(*it);
  return fused;
}

}  // namespace narae
