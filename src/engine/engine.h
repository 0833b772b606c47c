// SPDX-License-Identifier: Apache-2.0
// The immutable artefact: the portable graph (before any pass that looked at the Target) and, for the device at hand, a
// section: the lowered graph, what was selected and the constants in run-time form.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "engine/weights.h"
#include "graph/profile.h"
#include "plan/selection.h"

namespace narae {

// What building found out, for explain and build; not in the engine file.
struct EngineNotes {
  std::vector<BodyDecision> bodies;
  int64_t timed_choices = 0, cached_choices = 0;
};

// One target's section.
struct LoweredEngine {
  std::unique_ptr<Graph> graph;
  Target target;
  Selection selection;
  SymbolValues opt;  // the sizes it was selected for
  EngineNotes notes;
};

class Engine {
 public:
  // `portable` is kept as the artefact; `lowered` may be absent: plan/ alone then makes the portable graph run.
  Engine(std::unique_ptr<Graph> portable, Profile profile);

  const Graph& portable() const { return *portable_; }
  const Profile& profile() const { return profile_; }
  const LoweredEngine& lowered() const { return *lowered_; }
  bool has_section() const { return lowered_ != nullptr; }
  void set_section(std::unique_ptr<LoweredEngine> lowered) { lowered_ = std::move(lowered); }
  Weights& weights() const { return weights_; }
  double build_seconds() const { return build_seconds_; }  // 0 when loaded from a file
  void set_build_seconds(double seconds) { build_seconds_ = seconds; }

  // Error does_not_fit naming the symbol when a value lies outside the profile.
  void check_profile(const SymbolValues& values) const;

 private:
  std::unique_ptr<Graph> portable_;
  Profile profile_;
  std::unique_ptr<LoweredEngine> lowered_;
  mutable Weights weights_;
  double build_seconds_ = 0;
};

// Sizes to select for: the profile's opt, or where it says nothing a usual size (batch 1, pictures 224, else 128).
SymbolValues opt_sizes(const Graph& graph, const Profile& profile);

// A section for this device: evaluates the constant part, splits bodies, selects. `graph` is already lowered by target
// passes where there are any, else a clone of the portable graph.
std::unique_ptr<LoweredEngine> lower_engine(std::unique_ptr<Graph> graph, Device& device, const SymbolValues& opt,
                                            const CostSource& costs, const SelectionOptions& options = {});
// Nodes all of whose operands are constant are run on the device and replaced by their results.
void evaluate_constant_part(Graph& graph, Device& device);

}  // namespace narae
