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
  // Throws Error where the model cannot be imported (or built).
  virtual std::unique_ptr<NodeModel> load(const std::string& path) const = 0;
};

// "interpret": the reference interpreter; "passes": the same after all passes. Throws Error usage for an unknown name.
std::unique_ptr<NodeRunner> make_node_runner(const std::string& name);

}  // namespace narae
