// SPDX-License-Identifier: Apache-2.0
// Dense attention of an encoder with its projections: every token of a sequence sees all that the bias lets through.
#pragma once

#include "nn/layers.h"

namespace narae::nn {

struct EncoderAttention {
  Linear q, k, v, out;
  int64_t heads = 1;
  // x f32 [N, S, D]; bias broadcasts to the scores [N, heads, S, S].
  Value* operator()(Net& net, Value* x, Value* bias) const;
};

}  // namespace narae::nn
