// SPDX-License-Identifier: Apache-2.0
// A body of rotations and writes into states (passes/fuse_rope_kv.cc), taken apart for kernels. For all backends alike.
#pragma once

#include <optional>
#include <vector>

#include "backend/tactic.h"
#include "ops/rope.h"

namespace narae {

// One result: heads [rows][heads][width], turned or not, as they are or at their places in a state.
struct RopePart {
  size_t x = 0, output = 0;  // operands
  int state = -1;            // operand
  bool turned = false;
  DType from = DType::f32, to = DType::f32;
  int64_t heads = 1, width = 0, places = 0;
};

struct RopeKvProblem {
  RopeAttributes rope;
  int64_t pairs = 0;
  size_t positions = 0, frequencies = 0, targets = 0;  // operands
  std::vector<RopePart> parts;
  int64_t rows = 0, heads = 0, width = 0;  // heads of all parts; the widest part
};

// Empty: the node is something else.
std::optional<RopeKvProblem> rope_kv_problem(const Node& node, const NodeDims& dims);

}  // namespace narae
