// SPDX-License-Identifier: Apache-2.0
#include "server/model_lookup.h"

namespace narae {

std::shared_ptr<Model> find_model(const ServerState& state, const std::string& name, const std::string& version) {
  std::shared_ptr<Model> model = state.repository.find(name, version);
  if (model) return model;
  if (!state.repository.knows(name)) {
    http_fail(404, "there is no model \"{}\"; /v2/repository/index lists them", name.substr(0, 200));
  }
  if (const auto other = state.repository.find(name)) {
    http_fail(404, "model \"{}\" has no version \"{}\"; its version is {}", name, version, other->version());
  }
  http_fail(503, "model \"{}\" is not ready; /v2/repository/index says why", name);
}

std::shared_ptr<Model> find_model(const ServerState& state, const PathValues& values) {
  const auto asked = values.find("version");
  return find_model(state, values.find("model")->second, asked == values.end() ? "" : asked->second);
}

std::shared_ptr<TensorModel> find_tensor_model(const ServerState& state, const PathValues& values) {
  const std::shared_ptr<Model> model = find_model(state, values);
  if (!model->tensors()) http_fail(400, "model \"{}\" takes no tensors; ask it at /v1/chat/completions", model->name());
  return {model, model->tensors()};
}

}  // namespace narae
