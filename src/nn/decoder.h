// SPDX-License-Identifier: Apache-2.0
// The decoder of most language models: embedding, layers of attention and gated MLP behind norms, a last norm, a head.
#pragma once

#include "nn/paged_attention.h"

namespace narae::nn {

struct DecoderLayer {
  RmsNorm attention_norm;
  PagedAttention attention;
  RmsNorm mlp_norm;
  GatedMlp mlp;
  Value* operator()(Net& net, Value* x, const StepInputs& step, const KvCache& cache, int64_t layer) const;
};

struct Decoder {
  Embedding embedding;
  std::vector<DecoderLayer> layers;
  RmsNorm norm;
  Linear head;  // its weight may be the embedding's table
  // Logits f32 [R, vocabulary] of the rows wanted; adds the state `last_token` i32 [slots] and those of attention.
  Value* operator()(Net& net, const StepInputs& step, const KvCache& cache) const;
};

}  // namespace narae::nn
