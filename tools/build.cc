// SPDX-License-Identifier: Apache-2.0
// narae build: compiles a model for this machine and saves the engine.
#include <filesystem>

#include "base/clock.h"
#include "base/error.h"
#include "engine/engine_file.h"
#include "model_flags.h"

namespace narae {
namespace {

struct BuildFlags {
  ModelFlags model;
  std::string path, file, min_shapes, opt_shapes, max_shapes;
};

void check_places(const BuildFlags& flags) {
  require_text(flags.file, "--output");
  std::error_code missing;
  if (std::filesystem::equivalent(flags.path, flags.file, missing))
    fail(ErrorCode::usage, "--output \"{}\" is the model itself; give the engine a file of its own", flags.file);
}

void build(const BuildFlags& flags, Console& console) {
  check_places(flags);
  Runtime runtime(runtime_options(flags.model));
  LoadOptions options = load_options(flags.model);
  options.shapes.min = parse_shape_list(flags.min_shapes, "--min-shapes");
  options.shapes.opt = parse_shape_list(flags.opt_shapes, "--opt-shapes");
  options.shapes.max = parse_shape_list(flags.max_shapes, "--max-shapes");
  if (flags.model.opt >= 3) runtime.calibrate();
  const double start = now_seconds();
  const std::shared_ptr<Engine> engine = load_watched(flags.path, runtime, options);
  const LoweredEngine& lowered = engine->lowered();
  const Program program = make_program(*lowered.graph, lowered.selection, *runtime.device(), lowered.opt);
  save_engine(*engine, *runtime.device(), flags.file);
  const double build_ms = (now_seconds() - start) * 1e3;
  console.say("{}: {:.0f} ms, weights {:.1f} MB, arena {:.1f} MB (lower bound {:.1f}), {} choices timed, {} known",
              flags.file, build_ms, static_cast<double>(engine->weights().bytes()) / 1e6,
              static_cast<double>(program.arena_bytes) / 1e6, static_cast<double>(program.lower_bound_bytes) / 1e6,
              lowered.notes.timed_choices, lowered.notes.cached_choices);
  console.result({{"file", flags.file},
                  {"build_ms", build_ms},
                  {"tuned", lowered.notes.timed_choices},
                  {"cache_hits", lowered.notes.cached_choices},
                  {"arena_bytes", program.arena_bytes},
                  {"arena_lower_bound_bytes", program.lower_bound_bytes},
                  {"weights_bytes", engine->weights().bytes()}});
}

}  // namespace

void add_build(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("build", "compile a model for this machine and save it as an engine file");
  auto flags = std::make_shared<BuildFlags>();
  add_model(*command, flags->path, flags->model, console);
  command->add_option("-o,--output", flags->file, "the engine file to write; it appears whole or not at all")
      ->required();
  const std::string form = ", as NAME:1x3x224x224,..";
  command->add_option("--min-shapes", flags->min_shapes, "least input shapes the engine must take" + form);
  command->add_option("--opt-shapes", flags->opt_shapes, "input shapes it is made fastest for" + form);
  command->add_option("--max-shapes", flags->max_shapes, "largest input shapes it must take" + form);
  command->footer(
      "Example:\n  narae build det.onnx -o det.narae --opt 3 --min-shapes x:1x3x32x32 --opt-shapes x:1x3x640x640 "
      "--max-shapes x:1x3x1280x1280");
  command->callback([flags, &console] { build(*flags, console); });
}

}  // namespace narae
