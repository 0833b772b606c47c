// SPDX-License-Identifier: Apache-2.0
#include "node_runner.h"

#include "compile/compiler.h"
#include "engine/session.h"
#include "import/onnx/import_onnx.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {
namespace {

class InterpretedModel final : public NodeModel {
 public:
  explicit InterpretedModel(std::unique_ptr<Graph> graph) : graph_(std::move(graph)) {}
  std::vector<Tensor> run(const std::vector<Tensor>& inputs) override { return interpret(*graph_, inputs); }

 private:
  std::unique_ptr<Graph> graph_;
};

class Interpreter final : public NodeRunner {
 public:
  explicit Interpreter(const std::string& passes) {
    add_all_ops(ops_);
    passes_.selection = PassSelection::parse(passes);
  }
  std::unique_ptr<NodeModel> load(const std::string& path) const override {
    std::unique_ptr<Graph> graph = import_onnx(path, ops_);
    graph->verify();
    run_portable_passes(*graph, passes_);
    run_target_passes(*graph, Target(), passes_);
    return std::make_unique<InterpretedModel>(std::move(graph));
  }

 private:
  OpTable ops_;
  PassOptions passes_;
};

// Compiled at the first run, so that what compiling throws counts as a failure of the test, not as unsupported.
class CompiledModel final : public NodeModel {
 public:
  CompiledModel(std::unique_ptr<Graph> graph, Runtime& runtime, const RunnerOptions& options)
      : graph_(std::move(graph)), runtime_(runtime), options_(options) {}

  std::vector<Tensor> run(const std::vector<Tensor>& inputs) override {
    if (!session_) {
      CompileOptions compile_options;
      compile_options.opt_level = options_.opt_level;
      compile_options.passes.selection = PassSelection::parse(options_.passes);
      compile_options.sizes = bind_symbols(*graph_, inputs);
      session_ = std::make_unique<Session>(compile(std::move(graph_), runtime_, compile_options), runtime_.device());
    }
    return session_->run(inputs);
  }

 private:
  std::unique_ptr<Graph> graph_;
  Runtime& runtime_;
  const RunnerOptions& options_;
  std::unique_ptr<Session> session_;
};

class Compiler final : public NodeRunner {
 public:
  explicit Compiler(const RunnerOptions& options) : options_(options) {
    RuntimeOptions runtime;
    runtime.device = options.engine;
    runtime.isa = options.isa;
    runtime_ = std::make_unique<Runtime>(runtime);
  }
  std::unique_ptr<NodeModel> load(const std::string& path) const override {
    return std::make_unique<CompiledModel>(import_onnx(path, runtime_->ops()), *runtime_, options_);
  }

 private:
  RunnerOptions options_;
  std::unique_ptr<Runtime> runtime_;
};

}  // namespace

std::unique_ptr<NodeRunner> make_node_runner(const RunnerOptions& options) {
  if (options.engine == "interpret") return std::make_unique<Interpreter>(options.passes);
  return std::make_unique<Compiler>(options);
}

}  // namespace narae
