// SPDX-License-Identifier: Apache-2.0
// A convolution or matrix product with what follows it: bias, activation, residual add, any pointwise tail whose other
// operands broadcast into the result. Later anchors choose first, so the last of two summed branches takes the sum.
#include <algorithm>

#include "passes/epilogue.h"
#include "passes/fused_body.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

bool is_anchor(const Node& node) {
  // Of fuse_blocks: decoding and a product, which ends the body.
  if (node.is("fused")) return node.outputs().size() == 1 && node.bodies()[0]->last()->is("matmul");
  if (!node.op().has(op_contraction) || node.outputs().size() != 1) return false;
  return std::all_of(node.inputs().begin(), node.inputs().end(),
                     [](const Value* value) { return !value || value->dtype() == DType::f32; });
}

std::vector<std::string> labels(const Node& anchor, const std::vector<Node*>& rest) {
  std::vector<std::string> names{anchor.label()};
  for (const Node* node : rest) names.push_back(node->label());
  return names;
}

}  // namespace

bool fuse_contractions(Graph& graph, const Target&, PassContext& context) {
  Rewriter rewriter(graph, context);
  const auto first_record = static_cast<ptrdiff_t>(context.fusions.size());
  for (Node *node = graph.last(), *previous = nullptr; node; node = previous) {
    previous = node->previous();
    ++context.visited;
    if (!is_anchor(*node) || rewriter.constant(node)) continue;
    const Epilogue epilogue = grow_epilogue(rewriter, node, epilogue_limit);
    if (!epilogue.refused.empty()) context.refused("epilogue", labels(*node, epilogue.nodes), epilogue.refused);
    if (epilogue.nodes.empty()) continue;
    std::vector<std::string> names = labels(*node, epilogue.nodes);
    FusedBody body(graph);
    body.add(node);
    for (const Node* member : epilogue.nodes) body.add(member);
    Node* last = epilogue.nodes.back();
    body.add_output(last->output());
    const Node* fused = body.finish(rewriter, "contraction", last);
    context.fused("epilogue", std::move(names), fused->label());
  }
  std::reverse(context.fusions.begin() + first_record, context.fusions.end());  // told in the order of the graph
  return rewriter.changed();
}

}  // namespace narae::passes
