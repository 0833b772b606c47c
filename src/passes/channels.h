// SPDX-License-Identifier: Apache-2.0
// What the passes that move numbers per channel into a contraction's weights ask.
#pragma once

#include "passes/fold.h"

namespace narae::passes {

// A conv, conv_transpose or matmul in f32 whose constant weights (and bias, if any) are its own, so that they may be
// scaled. Dequantised weights may not: a scaled copy of them would no longer be integers.
bool has_own_weights(const Rewriter& rewriter, const Node& node);

// `value` (constant) as [channels], where it has one number per channel of `shape` along `axis`, or one in all; null
// otherwise.
Value* per_channel(ConstantBuilder& builder, Value* value, const Shape& shape, size_t axis);

}  // namespace narae::passes
