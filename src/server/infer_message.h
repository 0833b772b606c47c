// SPDX-License-Identifier: Apache-2.0
// The body of a KServe v2 inference, with tensors in JSON or behind it in binary ("binary tensor data" extension), and
// of its answer. Every size comes from the client and is checked before anything is allocated for it.
#pragma once

#include "serve/tensor_model.h"
#include "server/exchange.h"

namespace narae {

struct WantedOutput {
  size_t index = 0;  // among the model's outputs
  bool binary = false;
};

struct InferMessage {
  InferCall call;
  std::vector<WantedOutput> outputs;  // in the order asked for
};

// `header_length`: of Inference-Header-Content-Length, empty where it is all JSON. Throws Error usage or HttpError.
InferMessage parse_infer(std::string_view body, std::string_view header_length, const TensorModel& model);

// Throws Error failed for numbers that JSON has not.
HttpReply infer_reply(const TensorModel& model, const InferMessage& message, const std::vector<Tensor>& outputs);

}  // namespace narae
