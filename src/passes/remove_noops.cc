// SPDX-License-Identifier: Apache-2.0
// Removes nodes that change nothing: x * 1, x + 0, reshape to the same shape, identity transposes, and makes one of two
// reshapes or two transposes in a row. A result of another shape (a constant [1,1] beside x [3]) is no no-op.
#include <algorithm>
#include <numeric>

#include "ops/reshape.h"
#include "ops/transpose.h"
#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {
namespace {

Value* neutral_scalar(const Node& node) {
  const WithScalar match = with_scalar(&node);
  if (!match) return nullptr;
  // 0 + x turns -0 into 0: equal by value, as is all that reads it but 1 / x and sign bits.
  if ((node.is("mul") && match.scalar == 1) || (node.is("add") && match.scalar == 0)) return match.other;
  if (match.constant_first) return nullptr;
  if ((node.is("div") || node.is("pow")) && match.scalar == 1) return match.other;
  if (node.is("sub") && match.scalar == 0) return match.other;
  return nullptr;
}

// Whether the axes of more than one element keep their order: then a transpose moves nothing.
bool moves_nothing(const Shape& shape, const std::vector<int64_t>& perm) {
  int64_t last = -1;
  for (const int64_t axis : perm) {
    if (shape[static_cast<size_t>(axis)] == Dim(1)) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

// `x` under another shape, by one reshape at most.
Value* reshaped(Rewriter& rewriter, Node* node, Value* x, const Shape& shape) {
  if (const Node* inner = rewriter.made_by(x, "reshape")) x = inner->input(0);
  return x->shape() == shape ? x : rewriter.before(node).op("reshape", {x}, ReshapeAttributes{shape});
}

Value* reshape(Rewriter& rewriter, Node* node) {
  if (!rewriter.made_by(node->input(0), "reshape")) return nullptr;
  return reshaped(rewriter, node, node->input(0), node->output()->shape());
}

Value* transpose(Rewriter& rewriter, Node* node) {
  const auto& perm = node->attributes<TransposeAttributes>().perm;
  Value* x = node->input(0);
  if (moves_nothing(x->shape(), perm)) return reshaped(rewriter, node, x, node->output()->shape());
  const Node* inner = rewriter.made_by(x, "transpose");
  if (!inner) return nullptr;
  TransposeAttributes both;
  for (const int64_t axis : perm)
    both.perm.push_back(inner->attributes<TransposeAttributes>().perm[static_cast<size_t>(axis)]);
  if (std::is_sorted(both.perm.begin(), both.perm.end())) return inner->input(0);
  return rewriter.before(node).op("transpose", {inner->input(0)}, both);
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
  if (node->is("transpose")) return transpose(rewriter, node);
  if (node->is("reshape")) return reshape(rewriter, node);
  if (Value* other = neutral_scalar(*node)) return other;
  return nullptr;
}

}  // namespace

bool remove_noops(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  for (Node *node = graph.first(), *next = nullptr; node; node = next) {
    next = node->next();
    ++context.visited;
    if (node->outputs().size() != 1 || node->output()->keep()) continue;
    if (Value* same = same_as(rewriter, node)) rewriter.replace(node->output(), same);
  }
  return rewriter.changed();
}

}  // namespace narae::passes
