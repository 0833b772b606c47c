// SPDX-License-Identifier: Apache-2.0
// The entry `sample` of a language model: which tokens come next, told from the logits of `forward`.
#pragma once

#include <memory>

#include "graph/graph.h"

namespace narae::nn {

// Inputs: logits f32 [R, vocabulary], slots i32 [R], then the other operands of op `sample` in their order, then
// top_rows i32 [B]. Outputs: tokens i32 [R], logprobs f32 [R], and of the rows at top_rows the `top` likeliest tokens
// (all, where there are fewer), likeliest first: i64 [B, top] and their logprobs f32 [B, top], by the logits as they
// came. Writes the state `last_token` i32 [slots], which `forward` reads.
std::unique_ptr<Graph> sample_graph(const OpTable& ops, int64_t vocabulary, int64_t top);

}  // namespace narae::nn
