// SPDX-License-Identifier: Apache-2.0
// The entry `sample` of a language model: which tokens come next, told from the logits of `forward`.
#pragma once

#include <memory>

#include "graph/graph.h"

namespace narae::nn {

// Inputs: logits f32 [R, vocabulary], slots i32 [R], then the other operands of op `sample` in their order. Outputs:
// tokens i32 [R], logprobs f32 [R]. Writes the state `last_token` i32 [slots], which `forward` reads.
std::unique_ptr<Graph> sample_graph(const OpTable& ops, int64_t vocabulary);

}  // namespace narae::nn
