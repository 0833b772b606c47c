// SPDX-License-Identifier: Apache-2.0
// How much arithmetic and memory traffic a node needs at the least: what bench sets against the machine's peaks.
#pragma once

#include "graph/graph.h"
#include "graph/profile.h"
#include "graph/target.h"

namespace narae {

struct Work {
  double flops = 0;  // multiply and add counted separately; a fused body's parts together
  double bytes = 0;  // every operand read once, every result written once
};
Work work_of(const Node& node, const SymbolValues& symbols);

// Seconds below which the target's measured peaks do not let this work be done: arithmetic, or memory (where all of it
// fits into the caches, at the rate of the second level).
double least_seconds(const Work& work, const Target& target);

}  // namespace narae
