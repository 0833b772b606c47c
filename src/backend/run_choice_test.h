// SPDX-License-Identifier: Apache-2.0
// For tests: one choice of one node on a device, from plain host tensors to plain host tensors, as planner and Session
// would do it: constants packed, operands moved to the layouts asked for, results moved back.
#pragma once

#include <vector>

#include "backend/device.h"
#include "backend/tactic.h"

namespace narae {

struct RunOptions {
  bool in_place = false;  // results take the memory of their in_place operands
  bool aliased = false;   // operands and results are laid as Tactic::aliases says
};

// Absent operands have null data. Poisons result memory and workspace first. Throws Error internal where padding lanes
// of a result are not zero.
std::vector<Tensor> run_choice(Device& device, const Node& node, const Choice& choice, const NodeDims& dims,
                               const std::vector<Tensor>& operands, const RunOptions& options = {});
// sqrt(sum (a - b)^2 / sum b^2); for integers and booleans 0 when equal, 1 when not.
double relative_l2(const Tensor& got, const Tensor& wanted);

}  // namespace narae
