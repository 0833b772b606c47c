// SPDX-License-Identifier: Apache-2.0
// Erases what no output, kept value or state needs. Inputs stay: they are the model's interface.
#include "passes/pass_list.h"

namespace narae::passes {

bool dead_code(Graph& graph, PassContext& context) {
  context.visited += static_cast<int64_t>(graph.node_count());
  return graph.erase_dead() > 0;
}

}  // namespace narae::passes
