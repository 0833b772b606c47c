// SPDX-License-Identifier: Apache-2.0
// Before pointwise nodes join: factors on q and k are still nodes of their own.
#include "passes/attention.h"
#include "passes/pass_list.h"

namespace narae::passes {

bool fuse_attention(Graph& graph, const Target& target, PassContext& context) {
  return !target.narrow() && fuse_attentions(graph, context);
}

}  // namespace narae::passes
