// SPDX-License-Identifier: Apache-2.0
// What runs the models of the node tests: one NodeRunner a way of running, all given the same cases.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace narae {

class NodeModel {
 public:
  virtual ~NodeModel() = default;
  virtual std::vector<Tensor> run(const std::vector<Tensor>& inputs) = 0;
};

class NodeRunner {
 public:
  virtual ~NodeRunner() = default;
  // Throws Error where the model cannot be imported.
  virtual std::unique_ptr<NodeModel> load(const std::string& path) const = 0;
};

struct RunnerOptions {
  std::string engine = "interpret";  // the reference interpreter, or a device: cpu, fake
  std::string isa = "auto";
  std::string passes = "all";  // as the narae command's --passes has it
  int opt_level = 2;
};

std::unique_ptr<NodeRunner> make_node_runner(const RunnerOptions& options);

}  // namespace narae
