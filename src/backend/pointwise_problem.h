// SPDX-License-Identifier: Apache-2.0
// A pointwise or row node (or body) together with the sizes it runs over, for every backend alike: what is gone
// through, how results lie in it, and what padding lanes need.
#pragma once

#include <optional>
#include <vector>

#include "backend/lower_scalar.h"
#include "backend/tactic.h"

namespace narae {

struct PointwiseProblem {
  ScalarBody body;
  Dims dims;  // of the widest operand: what is gone through
};

// Empty: the node has no such form at these sizes.
std::optional<PointwiseProblem> pointwise_problem(const Node& node, const NodeDims& dims);
// Strides in elements along stored_dims(problem.dims, layout) of a result; 0 along rows that are reduced.
std::vector<int64_t> result_strides(const PointwiseProblem& problem, const Dims& output, const Layout& layout);
// Row axes go to the end, where plans expect them.
void move_rows_last(const std::vector<int64_t>& axes, std::vector<int64_t>& values);
// Zeros in, zeros out: true when every operand has zeros in the padding lanes and the body keeps them.
bool keeps_zero(const PointwiseProblem& problem, const NodeDims& dims, const Layout& layout);
// The program with one more input, 1 in real lanes and 0 in padding ones, that every output is selected by.
ScalarProgram masked(const ScalarProgram& program);

}  // namespace narae
