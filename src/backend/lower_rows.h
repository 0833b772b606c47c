// SPDX-License-Identifier: Apache-2.0
// Row ops (reductions, softmax, norms over any axes) as instructions of a ScalarProgram. All of one program must go
// over the same axes.
#pragma once

#include <optional>
#include <span>

#include "graph/graph.h"
#include "tensor/scalar_program.h"

namespace narae {

bool is_row_op(const Node& node);
// Emits the node and returns its register; `axes` is empty before the first row op, then what that one reduces. Empty:
// it goes over other axes.
std::optional<uint16_t> lower_row_op(const Node& node, ScalarProgram& program, std::span<const uint16_t> operands,
                                     std::vector<int64_t>& axes);

}  // namespace narae
