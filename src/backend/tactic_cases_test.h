// SPDX-License-Identifier: Apache-2.0
// For tests: graphs of one node for which tactics are tried, beside the ops' own cases: sizes and bodies that make
// layouts, tails and epilogues matter.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace narae {

struct TacticCase {
  std::string name;
  std::function<std::unique_ptr<Graph>(const OpTable&)> build;  // one node; all its results are outputs
  double tolerance = 1e-5;                                      // of results, relative L2
  bool everywhere = true;                                       // false: a CPU may leave it to the tactics of its parts
};

void add_pointwise_cases(std::vector<TacticCase>& cases);
void add_conv_cases(std::vector<TacticCase>& cases);
void add_gemm_cases(std::vector<TacticCase>& cases);
void add_horizontal_cases(std::vector<TacticCase>& cases);
void add_move_cases(std::vector<TacticCase>& cases);
void add_attention_cases(std::vector<TacticCase>& cases);

}  // namespace narae
