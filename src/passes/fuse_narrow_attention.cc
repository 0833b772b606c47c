// SPDX-License-Identifier: Apache-2.0
// After narrow_types, which wraps each member by itself.
#include "passes/attention.h"
#include "passes/pass_list.h"

namespace narae::passes {

bool fuse_narrow_attention(Graph& graph, const Target& target, PassContext& context) {
  return target.narrow() && fuse_attentions(graph, context);
}

}  // namespace narae::passes
