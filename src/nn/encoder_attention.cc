// SPDX-License-Identifier: Apache-2.0
#include "nn/encoder_attention.h"

#include <cmath>

namespace narae::nn {

Value* EncoderAttention::operator()(Net& net, Value* x, Value* bias) const {
  const Shape shape = x->shape();  // [N, S, D]
  const Dim size(shape[2].value() / heads);
  const auto per_head = [&](const Linear& linear) {
    return net.transpose(net.reshape(linear(net, x), {shape[0], shape[1], Dim(heads), size}), {0, 2, 1, 3});
  };
  Value* queries = per_head(q);
  Value* keys = per_head(k);
  Value* values = per_head(v);
  Value* scores = net.mul(net.matmul(queries, keys, true), 1.0 / std::sqrt(static_cast<double>(size.value())));
  Value* y = net.matmul(net.softmax(net.add(scores, bias)), values);
  return out(net, net.reshape(net.transpose(y, {0, 2, 1, 3}), shape));
}

}  // namespace narae::nn
