// SPDX-License-Identifier: Apache-2.0
#include "compile/compiler.h"

#include "base/clock.h"
#include "base/error.h"
#include "compile/tuner.h"

namespace narae {
namespace {

void step(const CompileOptions& options, const char* stage, long done, long total) {
  if (!options.progress) return;
  options.progress->report(stage, done, total);
  if (options.progress->cancelled()) fail(ErrorCode::failed, "the build was cancelled");
}

// Symbols the graph has no more (folded away) may stand in a profile; symbols it never had may not.
void check_profile_names(const Graph& graph, const Profile& profile) {
  for (const auto& [name, range] : profile.symbols) {
    bool known = false;
    for (const Dim& symbol : graph.symbols()) known = known || symbol.symbol_name() == name;
    if (!known) fail(ErrorCode::usage, "the profile names the size {}, which the model does not have", name);
    if (range.min > range.opt || range.opt > range.max) {
      fail(ErrorCode::usage, "the profile of {} must be min <= opt <= max, not {} {} {}", name, range.min, range.opt,
           range.max);
    }
  }
}

}  // namespace

void add_section(Engine& engine, Runtime& runtime, const CompileOptions& options, CompileReport* report) {
  CompileReport own;
  CompileReport& notes = report ? *report : own;
  Device& device = *runtime.device();
  double start = now_seconds();
  auto graph = engine.portable().clone();
  notes.passes.append(run_target_passes(*graph, device.target(), options.passes));
  notes.pass_seconds += now_seconds() - start;
  SymbolValues sizes = opt_sizes(*graph, engine.profile());
  if (options.sizes) {
    for (const auto& [name, value] : *options.sizes) sizes[name] = value;
  }
  start = now_seconds();
  evaluate_constant_part(*graph, device);
  step(options, "constants", 1, 1);
  EngineNotes counts;
  if (options.opt_level >= 3) {
    const double tune_start = now_seconds();
    const TuneResult tuned = tune(*graph, runtime, sizes, options.opt_level, options.progress);
    counts.timed_choices = tuned.timed;
    counts.cached_choices = tuned.cached;
    notes.tune_seconds = now_seconds() - tune_start;
    runtime.timing_cache().save();
  }
  const MeasuredCosts measured(runtime.timing_cache());
  const EstimatedCosts estimated;
  const CostSource& costs = options.opt_level >= 3 ? static_cast<const CostSource&>(measured) : estimated;
  auto lowered = lower_engine(std::move(graph), device, sizes, costs, options.selection);
  lowered->notes.timed_choices = counts.timed_choices;
  lowered->notes.cached_choices = counts.cached_choices;
  engine.set_section(std::move(lowered));
  notes.lower_seconds += now_seconds() - start - notes.tune_seconds;
  step(options, "selection", 1, 1);
}

std::shared_ptr<Engine> compile(std::unique_ptr<Graph> imported, Runtime& runtime, const CompileOptions& options,
                                CompileReport* report) {
  CompileReport own;
  CompileReport& notes = report ? *report : own;
  check_profile_names(*imported, options.profile);
  double start = now_seconds();
  const double begin = start;
  notes.passes.append(run_portable_passes(*imported, options.passes));
  notes.pass_seconds = now_seconds() - start;
  step(options, "passes", 1, 1);
  auto engine = std::make_shared<Engine>(std::move(imported), options.profile);
  add_section(*engine, runtime, options, &notes);
  engine->set_build_seconds(now_seconds() - begin);
  return engine;
}

}  // namespace narae
