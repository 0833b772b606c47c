// SPDX-License-Identifier: Apache-2.0
// What opens a gated unit (SwiGLU and its kin, https://arxiv.org/abs/2002.05202).
#pragma once

#include <cstdint>

namespace narae::cuda {

enum class Gate : uint8_t { silu, gelu, gelu_tanh, relu };

}  // namespace narae::cuda
