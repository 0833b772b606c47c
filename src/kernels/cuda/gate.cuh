// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernels/cuda/gate.h"

namespace narae::cuda {

__device__ inline float gate_of(Gate gate, float x) {
  switch (gate) {
    case Gate::silu: return x / (1.f + __expf(-x));
    case Gate::gelu: return 0.5f * x * (1.f + erff(x * 0.70710678118654752f));
    case Gate::gelu_tanh: return 0.5f * x * (1.f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case Gate::relu: return fmaxf(x, 0.f);
  }
  return x;
}

}  // namespace narae::cuda
