// SPDX-License-Identifier: Apache-2.0
// fused: a node whose body is its definition. Operand i is the body's input i, result i its output i. Passes build the
// largest legal body; selection runs it by one tactic or, part by part, by several.
#pragma once

#include "graph/attributes.h"

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

}  // namespace narae
