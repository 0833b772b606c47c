// SPDX-License-Identifier: Apache-2.0
// Unary pointwise ops: y[i] = f(x[i]), result of the operand's shape and type (is_nan, is_inf, logical_not: boolean).
#pragma once

#include "graph/attributes.h"

namespace narae {

struct AlphaAttributes {  // leaky_relu, thresholded_relu, elu, celu
  double alpha = 0.01;
  template <class V>
  void fields(V& v) {
    v("alpha", alpha);
  }
};
struct SeluAttributes {
  double alpha = 1.67326319217681884765625, gamma = 1.05070102214813232421875;
  template <class V>
  void fields(V& v) {
    v("alpha", alpha);
    v("gamma", gamma);
  }
};
struct ClipAttributes {  // max(low, min(high, x)) with constant bounds
  double low = -3.4028234663852886e38, high = 3.4028234663852886e38;
  template <class V>
  void fields(V& v) {
    v("low", low);
    v("high", high);
  }
};
struct HardSigmoidAttributes {  // clip(alpha x + beta, 0, 1)
  double alpha = 0.2, beta = 0.5;
  template <class V>
  void fields(V& v) {
    v("alpha", alpha);
    v("beta", beta);
  }
};
struct IsInfAttributes {
  bool positive = true, negative = true;
  template <class V>
  void fields(V& v) {
    v("positive", positive);
    v("negative", negative);
  }
};

}  // namespace narae
