// SPDX-License-Identifier: Apache-2.0
// The frame of every decoder's graph: the inputs of a step, the cache, and in the end the logits and the facts that
// stand in the metadata.
#pragma once

#include "import/arch/import_model.h"
#include "nn/paged_attention.h"

namespace narae {

class DecoderGraph {
 public:
  DecoderGraph(const OpTable& ops, const ModelOptions& options);
  nn::Net& net() { return net_; }
  const nn::StepInputs& step() const { return step_; }
  const nn::KvCache& cache() const { return cache_; }
  // `logits` f32 [R, vocabulary] of the rows wanted. The last call.
  std::unique_ptr<Graph> finish(Value* logits, int64_t context, int64_t layers);

 private:
  std::unique_ptr<Graph> graph_;
  nn::Net net_;
  nn::StepInputs step_;
  nn::KvCache cache_;
};

}  // namespace narae
