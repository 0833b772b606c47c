// SPDX-License-Identifier: Apache-2.0
// A committed model, its inputs and places for its results.
#pragma once

#include <string>
#include <vector>

#include "engine/session.h"
#include "load/load_model.h"

namespace narae {

inline std::string model_path(const std::string& name) {
  return std::string(NARAE_SOURCE) + "/tests/data/models/" + name + "/" + name + ".onnx";
}

struct ModelRun {
  std::vector<Tensor> inputs, outputs;
  ModelRun(Session& session, int64_t batch, uint64_t seed) {
    const Graph& graph = session.engine().portable();
    for (const Value* value : graph.inputs()) {
      Dims dims;
      for (const Dim& dim : value->shape()) dims.push_back(dim.is_constant() ? dim.value() : batch);
      inputs.push_back(Tensor::allocate(value->dtype(), dims));
      fill_normal(inputs.back(), seed++);
    }
    const std::vector<Dims>& sizes = session.output_dims(inputs);
    for (size_t i = 0; i < sizes.size(); ++i) {
      outputs.push_back(Tensor::allocate(graph.outputs()[i]->dtype(), sizes[i]));
    }
  }
};

}  // namespace narae
