// SPDX-License-Identifier: Apache-2.0
// Composite ops become their definitions in more primitive ones, so that the parts fuse with what is around them.
// Early: later passes find rows, pads and views in what comes out. Types without a definition keep the whole op.
#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {

bool decompose(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    if (!node->op().has(op_composite) || node->output()->keep()) return;
    Builder builder = rewriter.before(node);
    const std::vector<Value*> parts = node->op().decompose(builder, *node);
    if (parts.empty()) return;
    rewriter.replace(node, parts);
  });
}

}  // namespace narae::passes
