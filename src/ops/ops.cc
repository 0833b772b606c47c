// SPDX-License-Identifier: Apache-2.0
#include "ops/ops.h"

namespace narae {

void add_all_ops(OpTable& table) {
#define NARAE_OP(name, file) table.add(name##_op());
#include "ops/ops.inc"
#undef NARAE_OP
}

}  // namespace narae
