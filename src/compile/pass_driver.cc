// SPDX-License-Identifier: Apache-2.0
#include "compile/pass_driver.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "base/clock.h"
#include "base/error.h"
#include "passes/pass_list.h"

namespace narae {
namespace {

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const auto* list : {&portable_passes(), &target_passes()}) {
    for (const Pass& pass : *list) names.push_back(pass.name);
  }
  return names;
}

template <typename Run>
PassReport run_all(const std::vector<Pass>& passes, Graph& graph, const PassOptions& options, Run run) {
  PassReport report;
  PassContext context;
  context.fold_limit = options.fold_limit;
  for (const Pass& pass : passes) {
    if (!options.selection.has(pass.name)) continue;
    PassRecord record;
    record.name = pass.name;
    record.nodes_before = graph.node_count();
    context.visited = 0;
    with_context([&] { return fmt::format("pass {}", pass.name); },
                 [&] {
                   const double start = now_seconds();
                   record.changed = run(pass, context);
                   record.ms = (now_seconds() - start) * 1e3;
                   if (record.changed) graph.verify();
                 });
    record.nodes_after = graph.node_count();
    record.visited = context.visited;
    report.passes.push_back(std::move(record));
    if (options.after) options.after(pass, graph);
  }
  report.fusions = std::move(context.fusions);
  return report;
}

}  // namespace

PassSelection PassSelection::parse(std::string_view text) {
  const std::vector<std::string> names = all_names();
  PassSelection selection;
  bool start = true;
  for (bool more = true; more;) {
    const size_t comma = text.find(',');
    std::string_view word = text.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
    const bool off = word.substr(0, 1) == "-";
    const std::string name(off ? word.substr(1) : word);
    if (name == "all" && !off) {
      selection.off_.clear();
    } else if (name == "none" && !off) {
      selection.off_.insert(names.begin(), names.end());
    } else {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        fail(ErrorCode::usage, "there is no pass \"{}\"; give all, none, or NAME or -NAME of: {}", name,
             fmt::join(names, ", "));
      }
      if (start && !off) selection.off_.insert(names.begin(), names.end());
      if (off) {
        selection.off_.insert(name);
      } else {
        selection.off_.erase(name);
      }
    }
    start = false;
  }
  return selection;
}

std::string PassSelection::text() const { return fmt::format("{}", fmt::join(off_, ",")); }

void PassReport::append(PassReport other) {
  std::move(other.passes.begin(), other.passes.end(), std::back_inserter(passes));
  std::move(other.fusions.begin(), other.fusions.end(), std::back_inserter(fusions));
}

PassReport run_portable_passes(Graph& graph, const PassOptions& options) {
  return run_all(portable_passes(), graph, options,
                 [&](const Pass& pass, PassContext& context) { return pass.run(graph, context); });
}

PassReport run_target_passes(Graph& graph, const Target& target, const PassOptions& options) {
  return run_all(target_passes(), graph, options,
                 [&](const Pass& pass, PassContext& context) { return pass.run_for_target(graph, target, context); });
}

}  // namespace narae
