// SPDX-License-Identifier: Apache-2.0
// lrn: local response normalisation across channels of x [N, C, ...]:
// y = x / (bias + alpha / size * sum of x^2 over channels c - (size-1)/2 .. c + size/2)^beta.
// https://papers.nips.cc/paper/4824 section 3.3, https://onnx.ai/onnx/operators/onnx__LRN.html
#pragma once

#include "graph/attributes.h"

namespace narae {

struct LrnAttributes {
  int64_t size = 1;
  double alpha = 1e-4, beta = 0.75, bias = 1.0;
  template <class V>
  void fields(V& v) {
    v("size", size);
    v("alpha", alpha);
    v("beta", beta);
    v("bias", bias);
  }
};

}  // namespace narae
