// SPDX-License-Identifier: Apache-2.0
// The model that a path names, as KServe's endpoints want it.
#pragma once

#include "serve/tensor_model.h"
#include "server/router.h"

namespace narae {

// Throws HttpError: 404 for a name or version that is not there, 503 for a model that is known but not ready. An empty
// version: the one there is.
std::shared_ptr<Model> find_model(const ServerState& state, const std::string& name, const std::string& version = {});
// {model} and, where the pattern has it, {version}.
std::shared_ptr<Model> find_model(const ServerState& state, const PathValues& values);
// And 400 for one that takes no tensors.
std::shared_ptr<TensorModel> find_tensor_model(const ServerState& state, const PathValues& values);

}  // namespace narae
