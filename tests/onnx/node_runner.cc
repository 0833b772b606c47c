// SPDX-License-Identifier: Apache-2.0
#include "node_runner.h"

#include "base/error.h"
#include "compile/pass_driver.h"
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
  explicit Interpreter(bool passes) : passes_(passes) { add_all_ops(ops_); }
  std::unique_ptr<NodeModel> load(const std::string& path) const override {
    std::unique_ptr<Graph> graph = import_onnx(path, ops_);
    graph->verify();
    if (passes_) {
      run_portable_passes(*graph);
      run_target_passes(*graph, Target());
    }
    return std::make_unique<InterpretedModel>(std::move(graph));
  }

 private:
  OpTable ops_;
  bool passes_;
};

}  // namespace

std::unique_ptr<NodeRunner> make_node_runner(const std::string& name) {
  if (name == "interpret") return std::make_unique<Interpreter>(false);
  if (name == "passes") return std::make_unique<Interpreter>(true);
  fail(ErrorCode::usage, "there is no engine \"{}\"; known: interpret, passes", name);
}

}  // namespace narae
