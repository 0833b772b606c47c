// SPDX-License-Identifier: Apache-2.0
// Contractions of one kind that read the same value with weights of their own (the 1x1 branches of an Inception block;
// query, key and value) become one body with several anchors, each with its own epilogue and its own result, so each
// result can still have its own layout and place.
#include <algorithm>

#include "ops/conv.h"
#include "ops/matmul.h"
#include "passes/fused_body.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

constexpr size_t sibling_limit = 16;

// A contraction that may have siblings: bare, or the only anchor of a body.
struct Sibling {
  Node* node = nullptr;
  Value* data = nullptr;  // what all siblings read
  std::string kind;       // what they must agree in
};

bool may_have_siblings(const Node& anchor) {
  if (anchor.is("conv")) return anchor.attributes<ConvAttributes>().groups == 1;
  return anchor.is("matmul") && anchor.input(1)->shape().size() == 2 &&
         !anchor.attributes<MatmulAttributes>().transpose_a;
}

bool describe(const Rewriter& rewriter, Node* node, bool narrow, Sibling& sibling) {
  const Node* anchor = inner_anchor(*node);
  if (!anchor || !may_have_siblings(*anchor) || node->outputs().size() != 1) return false;
  // The right operand may be decoded inside, from blocks.
  const Node* decoder = node->is("fused") && anchor->input(1)->producer() ? anchor->input(1)->producer() : nullptr;
  Value* data = outside(*node, anchor->input(0));
  Value* w = outside(*node, decoder ? decoder->input(0) : anchor->input(1));
  if (!data || !w || rewriter.constant(node) || !rewriter.constant(w) || w->users().size() != 1) return false;
  if (data->dtype() != DType::f32 || anchor->input(1)->dtype() != DType::f32) return false;
  // In 16 bits only matrices [n][k] have kernels that do several at once.
  if (narrow && (decoder || !anchor->is("matmul") || !anchor->attributes<MatmulAttributes>().transpose_b)) return false;
  Shape per_output = anchor->input(1)->shape();  // without the axis of output channels
  const bool last = anchor->is("matmul") && !anchor->attributes<MatmulAttributes>().transpose_b;
  per_output.erase(last ? per_output.end() - 1 : per_output.begin());
  sibling = {node, data,
             fmt::format("{} {} {}{}", anchor->op().name, anchor->attribute_box()->text(), shape_text(per_output),
                         decoder ? " of blocks" : "")};
  return true;
}

// Moves what of the constant part `node` needs before `place`. It has no run-time operands, so it may stand anywhere.
void hoist_constants(Rewriter& rewriter, const Node* node, Node* place) {
  for (const Value* value : node->inputs()) {
    Node* producer = value ? value->producer() : nullptr;
    if (!producer || producer->order() < place->order() || !rewriter.constant(producer)) continue;
    ++rewriter.context().visited;
    hoist_constants(rewriter, producer, place);
    rewriter.graph().move(producer, place);
  }
}

// The operand that is not there yet where `first` stands; null: all are.
const Value* too_late(const Rewriter& rewriter, const Node& node, const Node& first) {
  for (const Value* value : node.inputs()) {
    if (!value || !value->producer() || rewriter.constant(value)) continue;
    if (value->producer()->order() >= first.order()) return value;
  }
  return nullptr;
}

void fuse(Rewriter& rewriter, const std::vector<Node*>& siblings) {
  Node* first = siblings.front();
  std::vector<Node*> members;
  std::vector<std::string> names;
  for (Node* node : siblings) {
    names.push_back(node->label());
    if (const Value* late = too_late(rewriter, *node, *first)) {
      rewriter.context().refused(
          "horizontal", {first->label(), node->label()},
          fmt::format("operand \"{}\" is made after the first sibling", late->producer()->label()));
      names.pop_back();
      continue;
    }
    members.push_back(node);
  }
  if (members.size() < 2) return;
  FusedBody body(rewriter.graph());
  for (Node* node : members) {
    hoist_constants(rewriter, node, first);
    body.add(node);
  }
  for (Node* node : members) body.add_output(node->output());
  const Node* fused = body.finish(rewriter, "horizontal", first);
  rewriter.context().fused("horizontal", std::move(names), fused->label());
}

}  // namespace

bool fuse_horizontal(Graph& graph, const Target& target, PassContext& context) {
  Rewriter rewriter(graph, context);
  struct Group {
    std::vector<Node*> nodes;
  };
  std::vector<Group> groups;  // in the order of their first node
  std::unordered_map<const Value*, std::unordered_map<std::string, size_t>> by_data;
  for (Node* node = graph.first(); node; node = node->next()) {
    ++context.visited;
    Sibling sibling;
    if (!describe(rewriter, node, target.narrow(), sibling)) continue;
    const auto [it, fresh] = by_data[sibling.data].emplace(sibling.kind, groups.size());
    if (!fresh && groups[it->second].nodes.size() == sibling_limit) it->second = groups.size();
    if (it->second == groups.size()) groups.emplace_back();
    groups[it->second].nodes.push_back(node);
  }
  for (const Group& group : groups) {
    if (group.nodes.size() > 1) fuse(rewriter, group.nodes);
  }
  return rewriter.changed();
}

}  // namespace narae::passes
