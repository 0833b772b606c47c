// SPDX-License-Identifier: Apache-2.0
// Grows a region of pointwise nodes backward from its one result. Every other value of it is read inside only, so it is
// convex by itself; its values have one shape, and what is smaller broadcasts in as an operand.
#pragma once

#include <map>

#include "passes/rewrite.h"

namespace narae {

// The nodes by order, `root` the last; empty where `root` is no run-time node of f32 with a scalar form.
std::map<int64_t, Node*> grow_region(const Rewriter& rewriter, Node* root);

}  // namespace narae
