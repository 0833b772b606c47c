// SPDX-License-Identifier: Apache-2.0
// narae run: inputs from .npy files, outputs to .npy files.
#include <filesystem>

#include "base/clock.h"
#include "base/error.h"
#include "model_flags.h"
#include "npy_tensor.h"
#include "ops/interpret.h"

namespace narae {
namespace {

struct RunFlags {
  ModelFlags model;
  std::string path, output_dir;
  std::vector<std::string> inputs;
};

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail(ErrorCode::failed, "cannot make the folder \"{}\": {}", path, error.message());
}

nlohmann::ordered_json save_outputs(const Graph& graph, const std::vector<Tensor>& outputs, const std::string& folder,
                                    Console& console) {
  make_folder(folder);
  auto list = nlohmann::ordered_json::array();
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string file = fmt::format("{}/{}.npy", folder, i);
    const DType dtype = save_tensor(file, outputs[i]);
    console.say("{}: {} {} -> {}", graph.output_names()[i], dtype_name(dtype), dims_text(outputs[i].dims), file);
    list.push_back(
        {{"name", graph.output_names()[i]}, {"dtype", dtype_name(dtype)}, {"shape", outputs[i].dims}, {"file", file}});
  }
  return list;
}

void run(const RunFlags& flags, Console& console) {
  require_text(flags.output_dir, "--output-dir");
  const double start = now_seconds();
  Runtime runtime(runtime_options(flags.model));
  note_activations(flags.model, runtime);
  LoadOptions options = load_options(flags.model);
  options.first_sizes = [&](const Graph& graph) {
    refuse_decoder(graph, flags.path);
    return bind_symbols(graph, load_inputs(graph, flags.inputs));
  };
  const std::shared_ptr<Engine> engine = load_watched(flags.path, runtime, options);
  refuse_decoder(engine->portable(), flags.path);
  const std::vector<Tensor> inputs = load_inputs(engine->portable(), flags.inputs);
  const auto session = make_session(engine, runtime);
  session->output_dims(inputs);
  const double ready = now_seconds();
  const std::vector<Tensor>& outputs = session->run(inputs);
  const double run_ms = (now_seconds() - ready) * 1e3;
  const double load_ms = (ready - start) * 1e3;
  auto list = save_outputs(engine->portable(), outputs, flags.output_dir, console);
  console.say("loaded in {:.0f} ms, ran in {:.2f} ms", load_ms, run_ms);
  console.result({{"outputs", std::move(list)}, {"load_ms", load_ms}, {"run_ms", run_ms}});
}

}  // namespace

void add_run(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("run", "run a model once on arrays from files");
  auto flags = std::make_shared<RunFlags>();
  add_model(*command, flags->path, flags->model, console);
  command->add_option("--input", flags->inputs, "NAME=F.npy for each input; just F.npy where there is only one")
      ->take_all();
  command->add_option("--output-dir", flags->output_dir, "folder for 0.npy, 1.npy .. in the model's order")->required();
  command->footer("Example:\n  narae run squeezenet.onnx --input data=cat.npy --output-dir out");
  command->callback([flags, &console] { run(*flags, console); });
}

}  // namespace narae
