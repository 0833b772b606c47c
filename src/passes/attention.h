// SPDX-License-Identifier: Apache-2.0
// softmax(q k^T * scale + mask) v becomes one body, with the transposes around it and factors on q and k. The first
// product keeps its own body (scale, mask) inside, so that nothing is lost where no kernel takes the whole. Where
// values are stored in 16 bits (narrow_types), each member keeps the casts around it for the same reason.
#pragma once

#include "graph/graph.h"
#include "passes/pass.h"

namespace narae::passes {

// True: the graph was changed.
bool fuse_attentions(Graph& graph, PassContext& context);

}  // namespace narae::passes
