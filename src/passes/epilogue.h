// SPDX-License-Identifier: Apache-2.0
// Grows a region of pointwise nodes forward from a node's result: what a contraction or a row reduction may do to its
// result before it is written.
#pragma once

#include "passes/rewrite.h"

namespace narae {

inline constexpr size_t epilogue_limit = 32;  // nodes that an anchor takes

struct Epilogue {
  std::vector<Node*> nodes;  // in topological order; the last one makes the only value that is read outside
  std::string refused;       // why it does not reach further, where a pointwise node follows; else empty
};

// The largest one, of at most `limit` nodes. Its values are f32 of the shape of anchor's first result (boolean masks
// between); no path leaves and comes back, so it may stand where its last node stands.
Epilogue grow_epilogue(const Rewriter& rewriter, Node* anchor, size_t limit);

}  // namespace narae
