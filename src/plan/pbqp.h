// SPDX-License-Identifier: Apache-2.0
// Partitioned boolean quadratic problem: pick one alternative per node so that the sum of node costs and of edge costs
// (which depend on the picks at both ends) is least. Nodes of degree 0, 1 and 2 are reduced exactly; a node of higher
// degree is decided by its locally best alternative, and the solution is then no longer guaranteed to be the optimum.
// Method: Scholz and Eckstein, "Register Allocation for Irregular Architectures", LCTES 2002.
#pragma once

#include <vector>

namespace narae {

struct PbqpEdge {
  int a = 0, b = 0;
  std::vector<double> costs;  // [alternatives of a][alternatives of b]
};

struct PbqpProblem {
  std::vector<std::vector<double>> costs;  // per node, per alternative; at least one alternative each
  std::vector<PbqpEdge> edges;             // a != b; several between the same two nodes add up
};

struct PbqpSolution {
  std::vector<int> picks;
  double cost = 0;
  bool exact = true;
};

PbqpSolution solve_pbqp(const PbqpProblem& problem);
double pbqp_cost(const PbqpProblem& problem, const std::vector<int>& picks);

}  // namespace narae
