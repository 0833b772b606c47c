// SPDX-License-Identifier: Apache-2.0
// Builds the PBQP: a node's alternatives are its cheapest choice for each set of layouts, an edge's costs the reformats
// between what is made and what is wanted.
#include "plan/selection.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "graph/inline_body.h"
#include "plan/pbqp.h"

namespace narae {

double CostSource::reformat_seconds(DType dtype, const Dims& dims, const Layout& from, const Layout& to,
                                    const Target& target) const {
  if (from == to) return 0;
  const double bytes =
      static_cast<double>(from.stored_count(dims) + to.stored_count(dims)) * static_cast<double>(dtype_size(dtype));
  // Small values stay in the second-level cache; strided access halves what it gives.
  const double rate = bytes < static_cast<double>(target.l2_bytes) * target.cores
                          ? target.l2_bytes_per_s * target.cores / 4
                          : target.dram_bytes_per_s;
  return 2e-6 + bytes / rate;
}

double EstimatedCosts::seconds(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target,
                               bool* measured) const {
  if (measured) *measured = false;
  return choice.tactic->estimate(node, choice, dims, target);
}

namespace {

// Beside measured times an estimate only counts on their scale: what nobody timed must not win by optimism.
void scale_estimates(const Node& node, const NodeDims& dims, const Target& target, std::vector<Candidate>& candidates) {
  const Candidate* best = nullptr;
  for (const Candidate& candidate : candidates) {
    if (candidate.measured && (!best || candidate.seconds < best->seconds)) best = &candidate;
  }
  if (!best) return;
  const double estimate = best->choice.tactic->estimate(node, best->choice, dims, target);
  const double scale = estimate > 0 ? std::max(1.0, best->seconds / estimate) : 1.0;
  for (Candidate& candidate : candidates) {
    if (!candidate.measured) candidate.seconds *= scale;
  }
}

}  // namespace

std::vector<Candidate> candidates_for(const Node& node, Device& device, const SymbolValues& sizes,
                                      const CostSource& costs) {
  const NodeDims dims = node_dims(node, sizes);
  std::vector<Choice> choices;
  for (const Tactic* tactic : device.tactics()) {
    if (tactic->is_reference() && !choices.empty()) continue;
    tactic->propose(node, dims, device.target(), choices);
  }
  NARAE_CHECK(!choices.empty());
  std::vector<Candidate> candidates;
  for (Choice& choice : choices) {
    NARAE_CHECK(choice.inputs.size() == node.inputs().size() && choice.outputs.size() == node.outputs().size());
    Candidate candidate;
    candidate.seconds = costs.seconds(node, choice, dims, device.target(), &candidate.measured);
    candidate.choice = std::move(choice);
    candidates.push_back(std::move(candidate));
  }
  scale_estimates(node, dims, device.target(), candidates);
  return candidates;
}

namespace {

double best_seconds(const std::vector<Candidate>& candidates, bool& covered) {
  double best = std::numeric_limits<double>::infinity();
  covered = false;
  for (const Candidate& candidate : candidates) {
    best = std::min(best, candidate.seconds);
    covered = covered || !candidate.choice.tactic->is_reference();
  }
  return best;
}

// Of the parts of a fused node, each for itself.
double body_seconds(const Node& fused, Device& device, const SymbolValues& sizes, const CostSource& costs) {
  const std::unique_ptr<Graph> body = body_on_operands(fused);
  double sum = 0;
  for (const Node* node = body->first(); node; node = node->next()) {
    bool covered;
    double best = best_seconds(candidates_for(*node, device, sizes, costs), covered);
    if (!node->bodies().empty() && !covered) best = body_seconds(*node, device, sizes, costs);
    sum += best;
  }
  return sum;
}

}  // namespace

std::vector<BodyDecision> split_bodies(Graph& graph, Device& device, const SymbolValues& sizes, const CostSource& costs,
                                       const SelectionOptions& options) {
  std::vector<BodyDecision> decisions;
  for (Node* node = graph.first(); node;) {
    Node* next = node->next();
    if (!node->bodies().empty()) {
      BodyDecision decision;
      decision.node = node->label();
      decision.kind = node->attribute_box()->text();
      bool covered;
      const double whole = best_seconds(candidates_for(*node, device, sizes, costs), covered);
      decision.whole_seconds = covered ? whole : -1;
      decision.split_seconds = body_seconds(*node, device, sizes, costs);
      decision.kept = covered && (options.keep_all_bodies || whole <= decision.split_seconds);
      if (!decision.kept) {
        Node* first = inline_body(graph, node);
        if (first) next = first;  // its parts may be bodies themselves
      }
      decisions.push_back(std::move(decision));
    }
    node = next;
  }
  return decisions;
}

namespace {

// The cheapest candidate for each set of layouts.
std::vector<const Candidate*> distinct_layouts(const std::vector<Candidate>& candidates) {
  std::vector<const Candidate*> best;
  for (const Candidate& candidate : candidates) {
    const auto same = std::find_if(best.begin(), best.end(), [&](const Candidate* other) {
      return other->choice.inputs == candidate.choice.inputs && other->choice.outputs == candidate.choice.outputs;
    });
    if (same == best.end()) {
      best.push_back(&candidate);
    } else if (candidate.seconds < (*same)->seconds) {
      *same = &candidate;
    }
  }
  return best;
}

class Selector {
 public:
  Selector(const Graph& graph, Device& device, const SymbolValues& sizes, const CostSource& costs)
      : graph_(graph), device_(device), sizes_(sizes), costs_(costs) {}

  Selection run() {
    for (const Node* node = graph_.first(); node; node = node->next()) {
      index_[node] = static_cast<int>(nodes_.size());
      nodes_.push_back(node);
      candidates_.push_back(candidates_for(*node, device_, sizes_, costs_));
    }
    for (const auto& candidates : candidates_) {
      alternatives_.push_back(distinct_layouts(candidates));
      std::vector<double> costs;
      for (const Candidate* candidate : alternatives_.back()) costs.push_back(candidate->seconds);
      problem_.costs.push_back(std::move(costs));
    }
    for (size_t i = 0; i < nodes_.size(); ++i) add_operands(i);
    add_results();
    const PbqpSolution solution = solve_pbqp(problem_);
    Selection selection;
    selection.seconds = solution.cost;
    selection.exact = solution.exact;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const Candidate& pick = *alternatives_[i][static_cast<size_t>(solution.picks[i])];
      NodeChoice choice;
      choice.choice = pick.choice;
      choice.seconds = pick.seconds;
      choice.candidates = std::move(candidates_[i]);
      selection.nodes.emplace(nodes_[i], std::move(choice));
    }
    count_reformats(selection);
    return selection;
  }

 private:
  double reformat(const Value& value, const Layout& from, const Layout& to) {
    if (from == to) return 0;
    return costs_.reformat_seconds(value.dtype(), evaluate(value.shape(), sizes_), from, to, device_.target());
  }

  void add_operands(size_t consumer) {
    const Node& node = *nodes_[consumer];
    for (size_t slot = 0; slot < node.inputs().size(); ++slot) {
      const Value* value = node.input(slot);
      if (!value || value->is_constant()) continue;  // constants are brought into any form at load
      if (!value->producer()) {                      // inputs and states are plain
        for (size_t j = 0; j < alternatives_[consumer].size(); ++j) {
          problem_.costs[consumer][j] +=
              reformat(*value, Layout::plain(), alternatives_[consumer][j]->choice.inputs[slot]);
        }
        continue;
      }
      const int producer = index_.at(value->producer());
      const auto& made = alternatives_[static_cast<size_t>(producer)];
      const auto& wanted = alternatives_[consumer];
      PbqpEdge edge{producer, static_cast<int>(consumer), {}};
      bool free = true;
      for (const Candidate* from : made) {
        for (const Candidate* to : wanted) {
          const double cost =
              reformat(*value, from->choice.outputs[static_cast<size_t>(value->index())], to->choice.inputs[slot]);
          free = free && cost == 0;
          edge.costs.push_back(cost);
        }
      }
      if (!free) problem_.edges.push_back(std::move(edge));
    }
  }

  void add_results() {
    std::vector<const Value*> results(graph_.outputs().begin(), graph_.outputs().end());
    for (const auto& value : graph_.values()) {
      if (value->keep()) results.push_back(value.get());
    }
    for (const Value* value : results) {
      if (!value->producer()) continue;
      const auto producer = static_cast<size_t>(index_.at(value->producer()));
      for (size_t i = 0; i < alternatives_[producer].size(); ++i) {
        problem_.costs[producer][i] += reformat(
            *value, alternatives_[producer][i]->choice.outputs[static_cast<size_t>(value->index())], Layout::plain());
      }
    }
  }

  void count_reformats(Selection& selection) {
    for (const Node* node : nodes_) {
      const Choice& choice = selection.nodes.at(node).choice;
      for (size_t slot = 0; slot < node->inputs().size(); ++slot) {
        const Value* value = node->input(slot);
        if (!value || value->is_constant()) continue;
        const Layout made =
            value->producer()
                ? selection.nodes.at(value->producer()).choice.outputs[static_cast<size_t>(value->index())]
                : Layout::plain();
        selection.reformats += made != choice.inputs[slot];
      }
    }
  }

  const Graph& graph_;
  Device& device_;
  const SymbolValues& sizes_;
  const CostSource& costs_;
  std::vector<const Node*> nodes_;
  std::unordered_map<const Node*, int> index_;
  std::vector<std::vector<Candidate>> candidates_;
  std::vector<std::vector<const Candidate*>> alternatives_;
  PbqpProblem problem_;
};

}  // namespace

Selection select(const Graph& graph, Device& device, const SymbolValues& sizes, const CostSource& costs) {
  return Selector(graph, device, sizes, costs).run();
}

}  // namespace narae
