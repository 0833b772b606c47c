// SPDX-License-Identifier: Apache-2.0
#include "passes/channels.h"

#include <algorithm>

namespace narae::passes {

bool has_own_weights(const Rewriter& rewriter, const Node& node) {
  if (!node.is("conv") && !node.is("conv_transpose") && !node.is("matmul")) return false;
  const Value* w = node.input(1);
  if (!rewriter.constant(w) || w->dtype() != DType::f32 || w->users().size() != 1 || rewriter.is_result(w))
    return false;
  if (w->producer() && w->producer()->is("dequantize")) return false;
  return !node.input(2) || rewriter.constant(node.input(2));
}

Value* per_channel(ConstantBuilder& builder, Value* value, const Shape& shape, size_t axis) {
  const Dim& channels = shape[axis];
  const size_t lead = shape.size() - std::min(shape.size(), value->shape().size());
  if (value->shape().size() > shape.size()) return nullptr;
  bool one = true;
  for (size_t i = 0; i < value->shape().size(); ++i) {
    if (value->shape()[i] == Dim(1)) continue;
    if (i + lead != axis || value->shape()[i] != channels) return nullptr;
    one = false;
  }
  if (!one) return builder.reshape(value, {channels});
  return builder.expand(builder.reshape(value, {Dim(1)}), {channels});
}

}  // namespace narae::passes
