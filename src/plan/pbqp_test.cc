// SPDX-License-Identifier: Apache-2.0
// Against brute force on random graphs: equal cost where the reductions are exact, else at most 5 % above.
#include "plan/pbqp.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace narae {
namespace {

struct Random {
  uint64_t state;
  int below(int n) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int>((state >> 33) % static_cast<uint64_t>(n));
  }
};

PbqpProblem random_problem(Random& random) {
  PbqpProblem problem;
  const int nodes = 2 + random.below(7);  // at most 8
  for (int i = 0; i < nodes; ++i) {
    std::vector<double> costs(static_cast<size_t>(1 + random.below(4)));
    for (double& cost : costs) cost = 1 + random.below(100);
    problem.costs.push_back(std::move(costs));
  }
  for (int a = 0; a < nodes; ++a) {
    for (int b = a + 1; b < nodes; ++b) {
      if (random.below(100) >= 45) continue;
      PbqpEdge edge{a, b, {}};
      if (random.below(2)) std::swap(edge.a, edge.b);
      const size_t size = problem.costs[static_cast<size_t>(a)].size() * problem.costs[static_cast<size_t>(b)].size();
      // As reformats are: nothing between equal layouts, something otherwise.
      for (size_t i = 0; i < size; ++i) edge.costs.push_back(random.below(2) ? 0 : random.below(40));
      problem.edges.push_back(std::move(edge));
    }
  }
  return problem;
}

double brute_force(const PbqpProblem& problem) {
  std::vector<int> picks(problem.costs.size(), 0);
  double best = pbqp_cost(problem, picks);
  for (;;) {
    size_t i = 0;
    while (i < picks.size() && ++picks[i] == static_cast<int>(problem.costs[i].size())) picks[i++] = 0;
    if (i == picks.size()) return best;
    best = std::min(best, pbqp_cost(problem, picks));
  }
}

TEST(Pbqp, IsTheOptimumOrCloseToIt) {
  Random random{20261123};
  int optima = 0, exact = 0;
  double worst = 1;
  for (int round = 0; round < 200; ++round) {
    const PbqpProblem problem = random_problem(random);
    const PbqpSolution solution = solve_pbqp(problem);
    const double best = brute_force(problem);
    EXPECT_DOUBLE_EQ(solution.cost, pbqp_cost(problem, solution.picks));
    if (solution.exact) {
      EXPECT_DOUBLE_EQ(solution.cost, best) << round;
      ++exact;
    }
    EXPECT_LE(solution.cost, best * 1.05) << round;
    worst = std::max(worst, solution.cost / best);
    optima += solution.cost <= best + 1e-9;
  }
  std::printf("optima: %d of 200 (%.1f %%), reduced exactly: %d, worst ratio %.4f\n", optima, optima / 2.0, exact,
              worst);
  RecordProperty("optima", optima);
}

TEST(Pbqp, LongChainsAreLinear) {
  PbqpProblem problem;
  for (int i = 0; i < 20000; ++i) {
    problem.costs.push_back({1.0, 2.0});
    if (i) problem.edges.push_back({i - 1, i, {0, 5, 5, 0}});
  }
  const PbqpSolution solution = solve_pbqp(problem);
  EXPECT_TRUE(solution.exact);
  EXPECT_DOUBLE_EQ(solution.cost, 20000.0);
}

}  // namespace
}  // namespace narae
