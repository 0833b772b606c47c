// SPDX-License-Identifier: Apache-2.0
// The flags that every subcommand has (docs/cli.md, "Everywhere"), and what they mean to runtime and compiler.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "console.h"
#include "engine/session.h"
#include "load/load_model.h"
#include "progress_bar.h"

namespace narae {

struct ModelFlags {
  std::string device = "cpu", isa = "auto", activations = "int8", precision = "fp32", library_dirs, passes = "all",
              cache_dir;
  int threads = 0, opt = 2;
  bool deterministic = false, keep_bodies = false;
  bool int8_asked = false;  // --activations int8 was written
  uint64_t seed = 0;
  uint64_t memory_limit = 0;
};

// Adds the flags and --json. `flags` and `console` must outlive the parsing.
void add_model_flags(CLI::App& app, ModelFlags& flags, Console& console);
// The model's path and these flags.
void add_model(CLI::App& app, std::string& path, ModelFlags& flags, Console& console);

// A check that lets only finite numbers from `low` to `high` pass.
CLI::Validator number_between(double low, double high);
// A check that lets only whole numbers from 0 to the largest 64-bit one pass.
CLI::Validator whole_number();
// Throws Error usage where a flag's text is empty.
void require_text(const std::string& text, const char* flag);

RuntimeOptions runtime_options(const ModelFlags& flags, int core_sets = 1);
LoadOptions load_options(const ModelFlags& flags);
// What `load` makes of the options, behind a progress bar that is gone when it returns.
template <typename Load>
auto watched(LoadOptions options, const Load& load) {
  ProgressBar bar;
  options.compile.progress = &bar;
  return load(options);
}
// load_model() so.
std::shared_ptr<Engine> load_watched(const std::string& path, Runtime& runtime, const LoadOptions& options,
                                     CompileReport* report = nullptr);

// Throws Error usage for a language model: its inputs are rows of a step, its states live from one to the next.
void refuse_decoder(const Graph& graph, const std::string& path);

// Says on stderr that --activations int8 was asked for where the device has no such products.
void note_activations(const ModelFlags& flags, Runtime& runtime);

// A Session on a core set, its arena in the runtime's memory account.
std::unique_ptr<Session> make_session(std::shared_ptr<const Engine> engine, Runtime& runtime, int core_set = 0);

}  // namespace narae
