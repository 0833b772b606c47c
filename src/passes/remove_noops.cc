// SPDX-License-Identifier: Apache-2.0
// Removes nodes that change nothing: x * 1, x + 0, reshape to the same shape, identity transposes, and makes one of two
// reshapes or two transposes in a row. A result of another shape (a constant [1,1] beside x [3]) is no no-op.
#include <algorithm>
#include <limits>

#include "passes/pass_list.h"
#include "passes/transposes.h"

namespace narae::passes {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Value* neutral_scalar(const Node& node) {
  const WithScalar match = with_scalar(&node);
  if (!match) return nullptr;
  // 0 + x turns -0 into 0: equal by value, as is all that reads it but 1 / x and sign bits.
  if ((node.is("mul") && match.scalar == 1) || (node.is("add") && match.scalar == 0)) return match.other;
  if ((node.is("max") && match.scalar == -infinity) || (node.is("min") && match.scalar == infinity)) return match.other;
  if (match.constant_first) return nullptr;
  if ((node.is("div") || node.is("pow")) && match.scalar == 1) return match.other;
  if (node.is("sub") && match.scalar == 0) return match.other;
  return nullptr;
}

// Whether equal types of operand and result say that the node does nothing.
bool idle_if_same_type(const Node& node) {
  for (const char* name : {"reshape", "expand", "cast", "tile", "slice", "concat", "pad", "copy"}) {
    if (node.is(name)) return true;
  }
  return false;
}

// What the node's only result may be replaced by; null: it does something.
Value* same_as(Rewriter& rewriter, Node* node) {
  if (node->inputs().empty() || !node->input(0)) return nullptr;
  Value* x = node->input(0);
  const bool sole = std::all_of(node->inputs().begin() + 1, node->inputs().end(), [](const Value* v) { return !v; });
  if (sole && idle_if_same_type(*node) && same_type(x, node->output())) return x;
  if (node->is("transpose")) return simpler_transpose(rewriter, node);
  if (node->is("reshape")) {
    return rewriter.made_by(x, "reshape") ? reshaped(rewriter, node, x, node->output()->shape()) : nullptr;
  }
  if (Value* other = neutral_scalar(*node)) return other;
  return nullptr;
}

}  // namespace

bool remove_noops(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    if (node->outputs().size() != 1 || node->output()->keep()) return;
    if (Value* same = same_as(rewriter, node)) rewriter.replace(node->output(), same);
  });
}

}  // namespace narae::passes
