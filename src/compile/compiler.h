// SPDX-License-Identifier: Apache-2.0
// Imported graph -> Engine: portable passes, target passes, the constant part, selection (by estimates or by timings).
#pragma once

#include <memory>
#include <optional>

#include "base/progress.h"
#include "compile/pass_driver.h"
#include "engine/engine.h"
#include "engine/runtime.h"

namespace narae {

struct CompileOptions {
  // 0-2: the cost model alone; 3-5: candidates are timed, with growing time budgets.
  int opt_level = 2;
  PassOptions passes;
  Profile profile;
  // Sizes to select for where the profile says nothing: those of the first inputs seen.
  std::optional<SymbolValues> sizes;
  SelectionOptions selection;
  Progress* progress = nullptr;
};

struct CompileReport {
  PassReport passes;
  double pass_seconds = 0, lower_seconds = 0, tune_seconds = 0;
};

// Takes the graph as imported. Throws what passes and tactics throw; `cancelled` as Error failed.
std::shared_ptr<Engine> compile(std::unique_ptr<Graph> imported, Runtime& runtime, const CompileOptions& options,
                                CompileReport* report = nullptr);
// A section for the runtime's device from an engine's portable graph (loaded on another target, or without section).
void add_section(Engine& engine, Runtime& runtime, const CompileOptions& options, CompileReport* report = nullptr);

}  // namespace narae
