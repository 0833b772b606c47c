// SPDX-License-Identifier: Apache-2.0
// The verifier runs after every pass: it finds what a pass broke while the pass is still known.
#include <unordered_set>

#include "base/error.h"
#include "graph/graph.h"
#include "graph/updates.h"

namespace narae {
namespace {

[[noreturn]] void broken(const Graph& graph, const Node* node, const std::string& what) {
  fail(ErrorCode::internal, "graph \"{}\" is broken at {}: {}", graph.name(), node ? node->label() : "its edge", what);
}

void verify_body(const Graph& graph, const Node& node) {
  for (const auto& body : node.bodies()) {
    body->verify();
    if (body->inputs().size() != node.inputs().size()) broken(graph, &node, "operands do not match its body's inputs");
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Value* outer = node.input(i);
      const Value* inner = body->inputs()[i];
      if (outer->dtype() != inner->dtype() || outer->shape() != inner->shape()) {
        broken(graph, &node,
               fmt::format("operand {} is {}{} outside and {}{} inside", i, dtype_name(outer->dtype()),
                           shape_text(outer->shape()), dtype_name(inner->dtype()), shape_text(inner->shape())));
      }
    }
  }
}

}  // namespace

void Graph::verify() const {
  std::unordered_set<const Value*> seen;
  std::unordered_map<const Value*, size_t> reads;
  for (const auto& value : values_) {
    if (value->kind() != ValueKind::temporary) {
      seen.insert(value.get());
      if (value->producer()) broken(*this, nullptr, "a value that is not temporary has a producer");
    }
    if (value->kind() == ValueKind::constant && to_shape(value->tensor().dims) != value->shape()) {
      broken(*this, nullptr, "a constant has another shape than its tensor");
    }
  }
  int64_t order = -1;
  for (const auto& node : nodes_) {
    if (node->order() <= order) broken(*this, node.get(), "nodes are out of order");
    order = node->order();
    for (const Value* value : node->inputs()) {
      if (!value) continue;
      if (!seen.count(value)) broken(*this, node.get(), "an operand is read before it is made");
      ++reads[value];
    }
    for (const Value* value : node->outputs()) {
      if (value->producer() != node.get()) broken(*this, node.get(), "a result does not know its producer");
      if (!seen.insert(value).second) broken(*this, node.get(), "a result is made twice");
    }
    verify_body(*this, *node);
    for (size_t i = 0; i < node->outputs().size(); ++i) {
      const int state = updated_state(*node, i);
      if (state >= 0 && node->input(static_cast<size_t>(state))->users().size() != 1) {
        broken(*this, node.get(), "the state it updates is read by others too: they would see either contents");
      }
    }
  }
  for (const auto& value : values_) {
    const auto it = reads.find(value.get());
    if (value->users().size() != (it == reads.end() ? 0 : it->second)) {
      broken(*this, value->producer(), "the users of \"" + value->name() + "\" are not those that read it");
    }
  }
  for (const Value* value : outputs_) {
    if (!seen.count(value)) broken(*this, nullptr, "an output is not in the graph");
  }
  if (output_names_.size() != outputs_.size()) broken(*this, nullptr, "outputs without names");
}

}  // namespace narae
