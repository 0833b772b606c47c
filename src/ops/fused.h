// SPDX-License-Identifier: Apache-2.0
// fused: a node whose body is its definition. Operand i is the body's input i, result i its output i. Passes build the
// largest legal body; selection runs it by one tactic or, part by part, by several.
#pragma once

#include "graph/graph.h"

namespace narae {

struct FusedAttributes {
  // What kind of body it is: "pointwise", "row" (row reductions with pointwise), "contraction" (one anchor and what
  // follows it), "horizontal" (several anchors on one input), "attention" (a product, softmax over its rows, a
  // product), "swiglu" (two products, one through an activation), "rope_kv" (rotations and writes into states).
  std::string kind;
  template <class V>
  void fields(V& v) {
    v("kind", kind);
  }
};

// The operand of `node` that `inner`, a value of its body or its own operand, stands for; null: it is made inside.
Value* outside(const Node& node, Value* inner);
// The same through a cast of the body.
Value* outside_casts(const Node& node, Value* inner);
// `node`, or where it is a body of one op and casts around it that op, when that is an `op`; null: it is not, or there
// is more in the body, or `node` is null.
const Node* within_casts(const Node* node, std::string_view op);

}  // namespace narae
