// SPDX-License-Identifier: Apache-2.0
// Rules on transposes that more than one pass uses.
#pragma once

#include "passes/rewrite.h"

namespace narae {

// Whether the axes of more than one element keep their order, so that the transpose is a reshape.
bool moves_nothing(const Shape& shape, const std::vector<int64_t>& perm);
// What the result of a transpose may be replaced by: its operand, a reshape where only axes of one element move, one
// transpose instead of two. Null: it stays.
Value* simpler_transpose(Rewriter& rewriter, Node* node);
// `x` under another shape, by one reshape at most.
Value* reshaped(Rewriter& rewriter, Node* before, Value* x, const Shape& shape);

}  // namespace narae
