// SPDX-License-Identifier: Apache-2.0
// What a pass is. A pass keeps the numbers (within rounding), every type, the inputs and the outputs of the graph; it
// costs time linear in nodes and never asks a tactic.
#pragma once

#include "graph/graph.h"
#include "graph/target.h"

namespace narae {

// One fusion or rewrite that a pass made, or saw and refused: what `explain` prints.
struct FusionRecord {
  std::string kind;                // horizontal, epilogue, pointwise, norm, ...
  std::vector<std::string> nodes;  // labels of the nodes that became one, or that were not fused
  std::string into;                // label of the result; empty where refused
  bool done = false;
  std::string reason;  // why it was refused; empty where done
};

struct PassContext {
  // Results (and operands) of at most this many elements are computed while compiling.
  int64_t fold_limit = 4096;
  std::vector<FusionRecord> fusions;
  // Nodes looked at so far: what the tests of linear cost count.
  int64_t visited = 0;

  void fused(std::string kind, std::vector<std::string> nodes, std::string into) {
    fusions.push_back({std::move(kind), std::move(nodes), std::move(into), true, {}});
  }
  void refused(std::string kind, std::vector<std::string> nodes, std::string reason) {
    fusions.push_back({std::move(kind), std::move(nodes), {}, false, std::move(reason)});
  }
};

struct Pass {
  const char* name = nullptr;
  const char* description = nullptr;
  // Exactly one is set; both return whether the graph changed.
  bool (*run)(Graph&, PassContext&) = nullptr;
  bool (*run_for_target)(Graph&, const Target&, PassContext&) = nullptr;
};

}  // namespace narae
