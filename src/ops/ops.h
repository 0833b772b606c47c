// SPDX-License-Identifier: Apache-2.0
// The table of all ops, made from ops.inc. Nothing else lists ops.
#pragma once

#include "graph/op_def.h"

namespace narae {

#define NARAE_OP(name, file) const OpDef* name##_op();
#include "ops/ops.inc"
#undef NARAE_OP

void add_all_ops(OpTable& table);

}  // namespace narae
