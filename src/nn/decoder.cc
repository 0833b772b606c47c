// SPDX-License-Identifier: Apache-2.0
#include "nn/decoder.h"

namespace narae::nn {

Value* DecoderLayer::operator()(Net& net, Value* x, const StepInputs& step, const KvCache& cache, int64_t layer) const {
  x = net.add(x, attention(net, attention_norm(net, x), step, cache, layer));
  return net.add(x, mlp(net, mlp_norm(net, x)));
}

Value* Decoder::operator()(Net& net, const StepInputs& step, const KvCache& cache) const {
  Value* x = embedding(net, step_tokens(net, step));
  for (size_t i = 0; i < layers.size(); ++i) x = layers[i](net, x, step, cache, static_cast<int64_t>(i));
  net.at("wanted");
  return head(net, norm(net, net.gather(x, step.wanted)));
}

}  // namespace narae::nn
