// SPDX-License-Identifier: Apache-2.0
// Softmax, norms and reductions over trailing axes with the pointwise nodes before and after them. A sum that a norm
// and others read (a residual) becomes a second result of the norm's body.
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

// Whether what `norm` reads is a sum that others read too, all of them after it: one body may hand out both.
bool has_residual(const Rewriter& rewriter, const Node& norm) {
  const Value* sum = norm.input(0);
  if (!norm.is("layer_norm") && !norm.is("rms_norm")) return false;
  if (!rewriter.made_by(sum, "add") || !scalar_f32(*sum->producer()) || rewriter.constant(sum)) return false;
  if (sum->keep() || sum->users().size() < 2) return false;
  return std::all_of(sum->users().begin(), sum->users().end(),
                     [&](const Node* user) { return user == &norm || user->order() > norm.order(); });
}

Node* fuse_residual(Rewriter& rewriter, Node* norm, std::vector<std::string>& names) {
  FusedBody body(rewriter.graph());
  Value* const sum = norm->input(0);
  for (const auto& [order, member] : grow_region(rewriter, sum->producer())) {
    body.add(member);
    names.push_back(member->label());
  }
  body.add(norm);
  names.push_back(norm->label());
  body.add_output(sum);
  body.add_output(norm->output());
  return body.finish(rewriter, "row", norm);
}

}  // namespace

bool fuse_rows(Graph& graph, const Target&, PassContext& context) {
  Rewriter rewriter(graph, context);
  const auto first_record = static_cast<ptrdiff_t>(context.fusions.size());
  for (Node *node = graph.last(), *previous = nullptr; node; node = previous) {
    previous = node->previous();
    ++context.visited;
    if (!is_anchor(*node) || rewriter.constant(node)) continue;
    if (has_residual(rewriter, *node)) {
      std::vector<std::string> names;
      Node* fused = fuse_residual(rewriter, node, names);
      context.fused("residual", std::move(names), fused->label());
      previous = fused->previous();
      continue;
    }
    std::vector<Node*> members;
    Value* x = node->input(0);
    if (x->producer() && rewriter.read_once(x) && !x->shape().empty()) {
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
