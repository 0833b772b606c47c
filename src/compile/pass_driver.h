// SPDX-License-Identifier: Apache-2.0
// Runs the passes in the order of passes.inc. After each one that changed the graph the verifier runs, so what a pass
// broke carries the pass's name.
#pragma once

#include <functional>
#include <set>

#include "passes/pass.h"

namespace narae {

// Which passes run: "all", "none", "-name", "name", separated by commas and read from left to right. A list that starts
// with a plain name starts from none, any other from all.
class PassSelection {
 public:
  PassSelection() = default;
  // Throws Error usage, listing the passes, for a name that is none.
  static PassSelection parse(std::string_view text);
  bool has(std::string_view name) const { return off_.count(std::string(name)) == 0; }
  // One text for equal selections, for cache keys: the passes that are off.
  std::string text() const;

 private:
  std::set<std::string> off_;
};

struct PassOptions {
  PassSelection selection;
  int64_t fold_limit = PassContext().fold_limit;
  // Called after each pass that ran.
  std::function<void(const Pass&, const Graph&)> after;
};

struct PassRecord {
  std::string name;
  double ms = 0;
  size_t nodes_before = 0, nodes_after = 0;
  int64_t visited = 0;
  bool changed = false;
};

struct PassReport {
  std::vector<PassRecord> passes;
  std::vector<FusionRecord> fusions;
  void append(PassReport other);
};

PassReport run_portable_passes(Graph& graph, const PassOptions& options = {});
PassReport run_target_passes(Graph& graph, const Target& target, const PassOptions& options = {});

}  // namespace narae
