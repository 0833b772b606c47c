// SPDX-License-Identifier: Apache-2.0
// SiLU written out: x * sigmoid(x). https://arxiv.org/abs/1710.05941
#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {

bool find_silu(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    if (!node->is("mul") || node->output()->dtype() != DType::f32) return;
    for (size_t i = 0; i < 2; ++i) {
      const Node* gate = rewriter.made_only_for(node->input(i), "sigmoid");
      if (!gate || gate->input(0) != node->input(1 - i) || node->output()->keep()) continue;
      Value* y = rewriter.before(node).op("silu", {gate->input(0)});
      context.fused("pointwise", {gate->label(), node->label()}, "silu");
      rewriter.replace(node->output(), y);
      break;
    }
  });
}

}  // namespace narae::passes
