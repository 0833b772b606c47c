// SPDX-License-Identifier: Apache-2.0
// How the operands of a pointwise computation lie beside a result of a given Layout, and how to step through them. A
// blocked result is gone through as [.., blocks, .., lanes]: an operand with the channel axis is blocked the same way,
// one without it is plain and read with stride 0 along blocks and lanes.
#pragma once

#include "backend/relayout.h"
#include "backend/tactic.h"

namespace narae {

// `dims` as they are stored: for a blocked layout the axis counts blocks and the lanes are one more, innermost axis.
Dims stored_dims(const Dims& dims, const Layout& layout);
// What an operand of `dims`, right-aligned with a result of `result` in `layout`, must be.
Layout operand_layout(const Dims& dims, const Dims& result, const Layout& layout);
// Strides in elements along stored_dims(result, layout); 0 where the operand broadcasts.
std::vector<int64_t> operand_strides(const Dims& dims, const Dims& result, const Layout& layout);

// Sets inputs[i] of the choice for a pointwise operand.
void place_operand(size_t i, const Dims& dims, const Dims& result, const Layout& layout, Choice& choice);

}  // namespace narae
