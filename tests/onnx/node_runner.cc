// SPDX-License-Identifier: Apache-2.0
#include "node_runner.h"

#include "base/error.h"
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
  Interpreter() { add_all_ops(ops_); }
  std::unique_ptr<NodeModel> load(const std::string& path) const override {
    std::unique_ptr<Graph> graph = import_onnx(path, ops_);
    graph->verify();
    return std::make_unique<InterpretedModel>(std::move(graph));
  }

 private:
  OpTable ops_;
};

}  // namespace

std::unique_ptr<NodeRunner> make_node_runner(const std::string& name) {
  if (name == "interpret") return std::make_unique<Interpreter>();
  fail(ErrorCode::usage, "there is no engine \"{}\"; known: interpret", name);
}

}  // namespace narae
