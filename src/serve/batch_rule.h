// SPDX-License-Identifier: Apache-2.0
// Whether requests of a model may be joined along their first dimension: only where the graph proves that the first
// dimension of all inputs and outputs is one symbol that stands nowhere else.
#pragma once

#include <string>

#include "graph/graph.h"

namespace narae {

struct BatchRule {
  bool join = false;
  std::string symbol;  // the batch, where join
  std::string reason;  // why not, otherwise
};

BatchRule batch_rule(const Graph& graph);

}  // namespace narae
