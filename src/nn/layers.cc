// SPDX-License-Identifier: Apache-2.0
#include "nn/layers.h"

#include "ops/layer_norm.h"

namespace narae::nn {

Value* Linear::operator()(Net& net, Value* x) const {
  net.at(weight.name);
  Value* y = net.linear(x, net.f32(weight));
  return bias ? net.add(y, net.f32(*bias)) : y;
}

Value* Embedding::operator()(Net& net, Value* ids) const {
  net.at(table.name);
  return net.rows(table, ids);
}

Value* RmsNorm::operator()(Net& net, Value* x) const {
  net.at(scale.name);
  return net.builder().op("rms_norm", {x, net.f32(scale)}, LayerNormAttributes{x->rank() - 1, epsilon});
}

Value* LayerNorm::operator()(Net& net, Value* x) const {
  net.at(scale.name);
  return net.builder().op("layer_norm", {x, net.f32(scale), net.f32(bias)},
                          LayerNormAttributes{x->rank() - 1, epsilon});
}

Value* Mlp::operator()(Net& net, Value* x) const { return down(net, net.unary(activation, up(net, x))); }

Value* GatedMlp::operator()(Net& net, Value* x) const {
  Value* open = net.unary(activation, gate(net, x));
  return down(net, net.mul(open, up(net, x)));
}

}  // namespace narae::nn
