// SPDX-License-Identifier: Apache-2.0
// Connected pointwise nodes become one body, from the last nodes to the first.
#include <algorithm>

#include "passes/fused_body.h"
#include "passes/pass_list.h"
#include "passes/region.h"

namespace narae::passes {

bool fuse_pointwise(Graph& graph, const Target&, PassContext& context) {
  Rewriter rewriter(graph, context);
  const auto first_record = static_cast<ptrdiff_t>(context.fusions.size());
  for (Node *node = graph.last(), *previous = nullptr; node; node = previous) {
    previous = node->previous();
    ++context.visited;
    const auto region = grow_region(rewriter, node);
    if (region.size() < 2) continue;
    std::vector<std::string> names;
    FusedBody body(graph);
    for (const auto& [order, member] : region) {
      body.add(member);
      names.push_back(member->label());
    }
    body.add_output(node->output());
    Node* fused = body.finish(rewriter, "pointwise", node);
    context.fused("pointwise", std::move(names), fused->label());
    previous = fused->previous();
  }
  std::reverse(context.fusions.begin() + first_record, context.fusions.end());  // told in the order of the graph
  return rewriter.changed();
}

}  // namespace narae::passes
