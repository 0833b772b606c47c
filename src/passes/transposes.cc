// SPDX-License-Identifier: Apache-2.0
#include "passes/transposes.h"

#include <algorithm>

#include "ops/reshape.h"
#include "ops/transpose.h"

namespace narae {

bool moves_nothing(const Shape& shape, const std::vector<int64_t>& perm) {
  int64_t last = -1;
  for (const int64_t axis : perm) {
    if (shape[static_cast<size_t>(axis)] == Dim(1)) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

Value* reshaped(Rewriter& rewriter, Node* before, Value* x, const Shape& shape) {
  if (const Node* inner = rewriter.made_by(x, "reshape")) x = inner->input(0);
  return x->shape() == shape ? x : rewriter.before(before).op("reshape", {x}, ReshapeAttributes{shape});
}

Value* simpler_transpose(Rewriter& rewriter, Node* node) {
  const auto& perm = node->attributes<TransposeAttributes>().perm;
  Value* x = node->input(0);
  if (moves_nothing(x->shape(), perm)) return reshaped(rewriter, node, x, node->output()->shape());
  const Node* inner = rewriter.made_by(x, "transpose");
  if (!inner) return nullptr;
  TransposeAttributes both;
  for (const int64_t axis : perm) {
    both.perm.push_back(inner->attributes<TransposeAttributes>().perm[static_cast<size_t>(axis)]);
  }
  if (std::is_sorted(both.perm.begin(), both.perm.end())) return inner->input(0);
  return rewriter.before(node).op("transpose", {inner->input(0)}, both);
}

}  // namespace narae
