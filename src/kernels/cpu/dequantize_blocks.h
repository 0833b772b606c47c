// SPDX-License-Identifier: Apache-2.0
// Weights in blocks (tensor/formats.h) -> f32. Bit for bit what the formats define, on every instruction set: products
// of d, scale and q fit into 24 bits, so a fused multiply-add rounds as the two operations do.
#pragma once

#include <cstdint>
#include <string_view>

#include "tensor/formats.h"

namespace narae::cpu {

struct DequantizeKernels {
  // `blocks` blocks one after the other, at any address.
  void (*decode)(BlockFormat, const uint8_t* in, float* out, int64_t blocks) = nullptr;
};

// For an ISA name of known_isas(); null for an unknown one.
const DequantizeKernels* dequantize_kernels(std::string_view isa);

extern const DequantizeKernels dequantize_kernels_portable, dequantize_kernels_avx2;

}  // namespace narae::cpu
