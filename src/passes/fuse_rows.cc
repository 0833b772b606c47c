// SPDX-License-Identifier: Apache-2.0
// Softmax, norms and reductions over trailing axes with the pointwise nodes before and after them.
#include <algorithm>

#include "ops/reduce.h"
#include "ops/softmax.h"
#include "passes/epilogue.h"
#include "passes/fused_body.h"
#include "passes/pass_list.h"
#include "passes/region.h"

namespace narae::passes {
namespace {

// Whether the rows of `node` are its last axes, and all is f32.
bool is_anchor(const Node& node) {
  if (!node.op().has(op_row_reduction) || node.outputs().size() != 1) return false;
  for (const Value* value : node.inputs()) {
    if (value && value->dtype() != DType::f32) return false;
  }
  const int64_t rank = node.input(0)->rank();
  if (node.is("softmax") || node.is("log_softmax")) return node.attributes<SoftmaxAttributes>().axis == rank - 1;
  if (node.is("layer_norm") || node.is("rms_norm")) return true;
  for (const char* name : {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min"}) {
    if (!node.is(name)) continue;
    const auto& axes = node.attributes<ReduceAttributes>().axes;
    return !axes.empty() && axes[0] == rank - static_cast<int64_t>(axes.size());
  }
  return false;
}

}  // namespace

bool fuse_rows(Graph& graph, const Target&, PassContext& context) {
  Rewriter rewriter(graph, context);
  const auto first_record = static_cast<ptrdiff_t>(context.fusions.size());
  for (Node *node = graph.last(), *previous = nullptr; node; node = previous) {
    previous = node->previous();
    ++context.visited;
    if (!is_anchor(*node) || rewriter.constant(node)) continue;
    std::vector<Node*> members;
    Value* x = node->input(0);
    if (x->producer() && rewriter.read_once(x) && x->shape().size() > 0) {
      for (const auto& [order, member] : grow_region(rewriter, x->producer())) members.push_back(member);
    }
    members.push_back(node);
    const Epilogue epilogue = grow_epilogue(rewriter, node, epilogue_limit);
    members.insert(members.end(), epilogue.nodes.begin(), epilogue.nodes.end());
    if (members.size() < 2) continue;
    std::vector<std::string> names;
    FusedBody body(graph);
    for (const Node* member : members) {
      body.add(member);
      names.push_back(member->label());
    }
    Node* last = members.back();
    body.add_output(last->output());
    Node* fused = body.finish(rewriter, "row", last);
    context.fused("norm", std::move(names), fused->label());
    // The prologue is gone too; all before the fused node that is left has not been looked at, or was no anchor.
    previous = fused->previous();
  }
  std::reverse(context.fusions.begin() + first_record, context.fusions.end());  // told in the order of the graph
  return rewriter.changed();
}

}  // namespace narae::passes
