// SPDX-License-Identifier: Apache-2.0
// Reductions in, back-substitution out. Edges are kept per node in small maps; matrices are stored once, oriented from
// the lower node index to the higher.
#include "plan/pbqp.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"

namespace narae {
namespace {

class Solver {
 public:
  explicit Solver(const PbqpProblem& problem) : costs_(problem.costs), neighbours_(problem.costs.size()) {
    for (const PbqpEdge& edge : problem.edges) {
      NARAE_CHECK(edge.a != edge.b && edge.costs.size() == count(edge.a) * count(edge.b));
      add_edge(edge.a, edge.b, edge.costs);
    }
    for (int node = 0; node < size(); ++node) queue_.insert({degree(node), node});
  }

  PbqpSolution run() {
    PbqpSolution solution;
    while (!queue_.empty()) {
      const auto [least, node] = *queue_.begin();
      if (least > 2) {
        solution.exact = false;
        decide(pick_hub());
      } else {
        reduce(node);
      }
    }
    solution.picks.assign(costs_.size(), 0);
    for (auto it = order_.rbegin(); it != order_.rend(); ++it)
      solution.picks[index(it->node)] = resolve(*it, solution.picks);
    return solution;
  }

 private:
  using Matrix = std::vector<double>;
  struct Reduced {
    int node;
    std::vector<double> costs;
    std::map<int, Matrix> edges;  // [own][other]
  };

  static size_t index(int node) { return static_cast<size_t>(node); }
  int size() const { return static_cast<int>(costs_.size()); }
  size_t count(int node) const { return costs_[index(node)].size(); }
  int degree(int node) const { return static_cast<int>(neighbours_[index(node)].size()); }

  // costs of the edge seen from `a`: [a][b]
  Matrix seen_from(int a, int b) const {
    const Matrix& stored = edges_.at({std::min(a, b), std::max(a, b)});
    if (a < b) return stored;
    Matrix turned(stored.size());
    for (size_t i = 0; i < count(a); ++i) {
      for (size_t j = 0; j < count(b); ++j) turned[i * count(b) + j] = stored[j * count(a) + i];
    }
    return turned;
  }

  void add_edge(int a, int b, const Matrix& costs) {
    const bool turn = a > b;
    auto [it, fresh] = edges_.try_emplace({std::min(a, b), std::max(a, b)});
    Matrix& stored = it->second;
    if (fresh) {
      stored.assign(costs.size(), 0.0);
      neighbours_[index(a)].insert(b);
      neighbours_[index(b)].insert(a);
    }
    for (size_t i = 0; i < count(a); ++i) {
      for (size_t j = 0; j < count(b); ++j) {
        stored[turn ? j * count(a) + i : i * count(b) + j] += costs[i * count(b) + j];
      }
    }
  }

  void requeue(int node, int old_degree) {
    queue_.erase({old_degree, node});
    queue_.insert({degree(node), node});
  }

  // Takes the node out, remembering what is needed to decide it later.
  Reduced take(int node) {
    Reduced reduced{node, costs_[index(node)], {}};
    queue_.erase({degree(node), node});
    for (const int other : neighbours_[index(node)]) {
      reduced.edges[other] = seen_from(node, other);
      const int before = degree(other);
      neighbours_[index(other)].erase(node);
      edges_.erase({std::min(node, other), std::max(node, other)});
      requeue(other, before);
    }
    neighbours_[index(node)].clear();
    return reduced;
  }

  void reduce(int node) {
    Reduced reduced = take(node);
    if (reduced.edges.size() == 1) {
      const auto& [other, costs] = *reduced.edges.begin();
      for (size_t j = 0; j < count(other); ++j) {
        double best = reduced.costs[0] + costs[j];
        for (size_t i = 1; i < count(node); ++i) best = std::min(best, reduced.costs[i] + costs[i * count(other) + j]);
        costs_[index(other)][j] += best;
      }
    } else if (reduced.edges.size() == 2) {
      const auto& [a, from_a] = *reduced.edges.begin();
      const auto& [b, from_b] = *std::next(reduced.edges.begin());
      Matrix joined(count(a) * count(b));
      for (size_t x = 0; x < count(a); ++x) {
        for (size_t y = 0; y < count(b); ++y) {
          double best = reduced.costs[0] + from_a[x] + from_b[y];
          for (size_t i = 1; i < count(node); ++i) {
            best = std::min(best, reduced.costs[i] + from_a[i * count(a) + x] + from_b[i * count(b) + y]);
          }
          joined[x * count(b) + y] = best;
        }
      }
      const int before_a = degree(a), before_b = degree(b);
      add_edge(a, b, joined);
      requeue(a, before_a);
      requeue(b, before_b);
    }
    order_.push_back(std::move(reduced));
  }

  int pick_hub() const { return queue_.rbegin()->second; }  // the highest degree frees most others

  // Heuristic: the alternative whose own cost plus the best each neighbour could then do is least.
  void decide(int node) {
    size_t best_pick = 0;
    double best = 0;
    for (size_t i = 0; i < count(node); ++i) {
      double total = costs_[index(node)][i];
      for (const int other : neighbours_[index(node)]) {
        const Matrix costs = seen_from(node, other);
        double least = costs[i * count(other)] + costs_[index(other)][0];
        for (size_t j = 1; j < count(other); ++j) {
          least = std::min(least, costs[i * count(other) + j] + costs_[index(other)][j]);
        }
        total += least;
      }
      if (i == 0 || total < best) {
        best = total;
        best_pick = i;
      }
    }
    Reduced reduced = take(node);
    for (const auto& [other, costs] : reduced.edges) {
      for (size_t j = 0; j < count(other); ++j) costs_[index(other)][j] += costs[best_pick * count(other) + j];
    }
    reduced.costs = {};  // decided
    reduced.edges.clear();
    reduced.costs.assign(count(node), 1.0);
    reduced.costs[best_pick] = 0.0;
    order_.push_back(std::move(reduced));
  }

  int resolve(const Reduced& reduced, const std::vector<int>& picks) const {
    int best_pick = 0;
    double best = 0;
    for (size_t i = 0; i < reduced.costs.size(); ++i) {
      double total = reduced.costs[i];
      for (const auto& [other, costs] : reduced.edges) total += costs[i * count(other) + index(picks[index(other)])];
      if (i == 0 || total < best) {
        best = total;
        best_pick = static_cast<int>(i);
      }
    }
    return best_pick;
  }

  std::vector<std::vector<double>> costs_;
  std::vector<std::set<int>> neighbours_;
  std::map<std::pair<int, int>, Matrix> edges_;
  std::set<std::pair<int, int>> queue_;  // (degree, node)
  std::vector<Reduced> order_;
};

}  // namespace

double pbqp_cost(const PbqpProblem& problem, const std::vector<int>& picks) {
  double cost = 0;
  for (size_t i = 0; i < picks.size(); ++i) cost += problem.costs[i][static_cast<size_t>(picks[i])];
  for (const PbqpEdge& edge : problem.edges) {
    const size_t columns = problem.costs[static_cast<size_t>(edge.b)].size();
    cost += edge.costs[static_cast<size_t>(picks[static_cast<size_t>(edge.a)]) * columns +
                       static_cast<size_t>(picks[static_cast<size_t>(edge.b)])];
  }
  return cost;
}

PbqpSolution solve_pbqp(const PbqpProblem& problem) {
  PbqpSolution solution = Solver(problem).run();
  solution.cost = pbqp_cost(problem, solution.picks);
  return solution;
}

}  // namespace narae
