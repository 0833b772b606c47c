// SPDX-License-Identifier: Apache-2.0
// The model that a path names, as KServe's endpoints want it.
#pragma once

#include "serve/tensor_model.h"
#include "server/router.h"

namespace narae {

// {model} and, where the pattern has it, {version}. Throws HttpError: 404 for a name or version that is not there, 503
// for a model that is known but not ready, 400 for one that takes no tensors.
std::shared_ptr<TensorModel> find_tensor_model(const ServerState& state, const PathValues& values);

}  // namespace narae
