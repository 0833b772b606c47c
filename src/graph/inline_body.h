// SPDX-License-Identifier: Apache-2.0
// Puts the nodes of a fused node's body in its place.
#pragma once

#include "graph/graph.h"

namespace narae {

// Results take over names and users; `node` is gone afterwards. Returns the first node put in (null: an empty body).
Node* inline_body(Graph& graph, Node* node);
// The body alone, with the node's constant operands as constants: what its nodes would be if they were put in its
// place.
std::unique_ptr<Graph> body_on_operands(const Node& node);

}  // namespace narae
