// SPDX-License-Identifier: Apache-2.0
// Computes small results of constants now. Folds of a weight's size stay as ordinary nodes: they are the constant part,
// evaluated at load by the device's own kernels and shared by all Sessions.
#include "passes/fold.h"
#include "passes/pass_list.h"

namespace narae::passes {

bool fold_constants(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    if (const std::vector<Value*> constants = folded(graph, *node, context); !constants.empty()) {
      rewriter.replace(node, constants);
    }
  });
}

}  // namespace narae::passes
