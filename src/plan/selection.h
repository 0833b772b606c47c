// SPDX-License-Identifier: Apache-2.0
// Tactics, layouts, packed forms and aliases chosen together. Selection never runs anything: seconds come from a
// CostSource (the tactics' estimates, or a TimingCache filled by compile/).
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "backend/device.h"
#include "backend/tactic.h"
#include "graph/graph.h"

namespace narae {

class CostSource {
 public:
  virtual ~CostSource() = default;
  // Seconds of a choice at these sizes; `measured` says whether it is more than an estimate.
  virtual double seconds(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target,
                         bool* measured = nullptr) const = 0;
  // Of moving a value between layouts.
  virtual double reformat_seconds(DType dtype, const Dims& dims, const Layout& from, const Layout& to,
                                  const Target& target) const;
};

// What the tactics say of themselves.
class EstimatedCosts : public CostSource {
 public:
  double seconds(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target,
                 bool* measured) const override;
};

struct Candidate {
  Choice choice;
  double seconds = 0;
  bool measured = false;
};

struct NodeChoice {
  Choice choice;
  double seconds = 0;
  std::vector<Candidate> candidates;  // all that were offered, for explain and the tuner
};

struct Selection {
  std::unordered_map<const Node*, NodeChoice> nodes;
  double seconds = 0;  // predicted for one run
  int reformats = 0;   // edges that need one
  bool exact = true;   // the reductions were exact
};

// A fused body that was kept whole or split into its parts, with both predicted times; `split` < 0: no tactic covers
// it.
struct BodyDecision {
  std::string node, kind;
  bool kept = false;
  double whole_seconds = -1, split_seconds = -1;
};

struct SelectionOptions {
  bool keep_all_bodies = false;  // never split where some tactic covers the whole body
};

// Before select(): puts the parts of fused nodes in their place where that is predicted to be faster, or where no
// tactic covers the whole.
std::vector<BodyDecision> split_bodies(Graph& graph, Device& device, const SymbolValues& sizes, const CostSource& costs,
                                       const SelectionOptions& options = {});
// Sizes: one value for every symbol of the graph.
Selection select(const Graph& graph, Device& device, const SymbolValues& sizes, const CostSource& costs);
// All that the device's tactics offer for one node; never empty.
std::vector<Candidate> candidates_for(const Node& node, Device& device, const SymbolValues& sizes,
                                      const CostSource& costs);

}  // namespace narae
