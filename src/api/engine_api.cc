// SPDX-License-Identifier: Apache-2.0
// Engines: built or loaded, saved, asked about.
#include "api/boundary.h"
#include "api/callback_progress.h"
#include "api/handles.h"
#include "base/clock.h"
#include "base/mapped_file.h"
#include "engine/engine_file.h"
#include "load/load_model.h"
#include "load/model_facts.h"

namespace narae::api {

ValueInfo::ValueInfo(const Value& value, const std::string& value_name) : name(value_name), dtype(to_c(value.dtype())) {
  for (const Dim& dim : value.shape()) {
    dims.push_back(dim.is_constant() ? dim.value() : -1);
    texts.push_back(dim.is_constant() ? std::string() : dim.text());
  }
  for (size_t i = 0; i < dims.size(); ++i) symbols.push_back(dims[i] >= 0 ? nullptr : texts[i].c_str());
}

narae_value_info ValueInfo::view() const {
  narae_value_info info = NARAE_VALUE_INFO_INIT;
  info.name = name.c_str();
  info.dims = dims.data();
  info.symbols = symbols.data();
  info.rank = static_cast<int32_t>(dims.size());
  info.dtype = dtype;
  return info;
}

namespace {

LoadOptions load_options(const narae_build_options& c, Progress& progress) {
  if (c.opt_level < 0 || c.opt_level > 5) fail(ErrorCode::usage, "there is no opt_level {}: 0 to 5", c.opt_level);
  LoadOptions options;
  options.compile.opt_level = c.opt_level;
  options.compile.passes.selection = PassSelection::parse(c.passes ? c.passes : "all");
  options.compile.progress = &progress;
  options.shapes.min = parse_shape_list(c.min_shapes ? c.min_shapes : "", "min_shapes");
  options.shapes.opt = parse_shape_list(c.opt_shapes ? c.opt_shapes : "", "opt_shapes");
  options.shapes.max = parse_shape_list(c.max_shapes ? c.max_shapes : "", "max_shapes");
  return options;
}

narae_engine* make_handle(const std::shared_ptr<Runtime>& runtime, const std::string& path,
                          const LoadOptions& options) {
  const double start = now_seconds();
  auto state = std::make_shared<EngineState>();
  state->runtime = runtime;
  state->engine = load_model(path, *runtime, options);
  const Graph& graph = state->engine->portable();
  for (const Value* value : graph.inputs()) state->inputs.push_back(std::make_unique<ValueInfo>(*value, value->name()));
  for (size_t i = 0; i < graph.outputs().size(); ++i)
    state->outputs.push_back(std::make_unique<ValueInfo>(*graph.outputs()[i], graph.output_names()[i]));
  state->load_ms = (now_seconds() - start) * 1e3;
  return new narae_engine{std::move(state)};
}

void give_info(const std::vector<std::unique_ptr<ValueInfo>>& infos, size_t index, const char* what,
               narae_value_info* info) {
  if (index >= infos.size()) fail(ErrorCode::usage, "there is no {} {}: the engine has {}", what, index, infos.size());
  give(info, infos[index]->view());
}

}  // namespace
}  // namespace narae::api

using namespace narae::api;  // NOLINT: the C functions below are its only purpose
using narae::ErrorCode;

extern "C" {

narae_status narae_engine_build(narae_runtime* runtime, const char* path, const narae_build_options* options,
                                narae_engine** engine, narae_error** error) {
  return guarded(error, [&] {
    wanted(engine, "engine");
    const narae_build_options defaults = NARAE_BUILD_OPTIONS_INIT;
    const narae_build_options given = known_fields(options, defaults);
    CallbackProgress progress(given.progress, given.progress_user);
    try {
      *engine = make_handle(wanted(runtime, "runtime").runtime, &wanted(path, "path"), load_options(given, progress));
    } catch (const narae::Error& what) {
      if (progress.cancelled()) throw Cancelled{what};
      throw;
    }
  });
}

narae_status narae_engine_load(narae_runtime* runtime, const char* path, narae_engine** engine, narae_error** error) {
  return guarded(error, [&] {
    wanted(engine, "engine");
    const std::shared_ptr<narae::Runtime>& shared = wanted(runtime, "runtime").runtime;
    if (narae::recognise(&wanted(path, "path")) != narae::ModelKind::engine) {
      narae::fail(ErrorCode::bad_file, "\"{}\" is a model, no engine file; narae_engine_build compiles it", path);
    }
    *engine = make_handle(shared, path, {});
  });
}

narae_status narae_engine_save(const narae_engine* engine, const char* path, narae_error** error) {
  return guarded(error, [&] {
    const EngineState& state = *wanted(engine, "engine").state;
    narae::save_engine(*state.engine, *state.runtime->device(), &wanted(path, "path"));
  });
}

void narae_engine_free(narae_engine* engine) { delete engine; }

size_t narae_engine_input_count(const narae_engine* engine) { return engine ? engine->state->inputs.size() : 0; }
size_t narae_engine_output_count(const narae_engine* engine) { return engine ? engine->state->outputs.size() : 0; }

narae_status narae_engine_input(const narae_engine* engine, size_t index, narae_value_info* info, narae_error** error) {
  return guarded(error, [&] { give_info(wanted(engine, "engine").state->inputs, index, "input", info); });
}

narae_status narae_engine_output(const narae_engine* engine, size_t index, narae_value_info* info,
                                 narae_error** error) {
  return guarded(error, [&] { give_info(wanted(engine, "engine").state->outputs, index, "output", info); });
}

const char* narae_engine_metadata(const narae_engine* engine, const char* key) {
  if (!engine || !key) return nullptr;
  const std::string* fact = narae::find_fact(engine->state->engine->portable(), key);
  return fact ? fact->c_str() : nullptr;
}

narae_status narae_engine_get_stats(const narae_engine* engine, narae_engine_stats* stats, narae_error** error) {
  return guarded(error, [&] {
    const EngineState& state = *wanted(engine, "engine").state;
    const narae::EngineNotes& notes = state.engine->lowered().notes;
    narae_engine_stats now = NARAE_ENGINE_STATS_INIT;
    now.build_ms = state.engine->build_seconds() * 1e3;
    now.load_ms = state.load_ms;
    now.weights_bytes = static_cast<uint64_t>(state.engine->weights().bytes());
    now.tuned = static_cast<uint64_t>(notes.timed_choices);
    now.cache_hits = static_cast<uint64_t>(notes.cached_choices);
    give(stats, now);
  });
}

}  // extern "C"
