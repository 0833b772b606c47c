// SPDX-License-Identifier: Apache-2.0
// Linear quantisation of x[outer][axis][inner] with one scale and zero point per position of `axis` (axis == 1: one for
// all): q = saturate(round_half_even(x / scale) + zero_point), x = (q - zero_point) * scale. A task is one row of
// `inner` elements, or one row of `axis` when inner == 1.
#pragma once

#include <cstdint>
#include <string_view>

#include "tensor/scalar_program.h"

namespace narae::cpu {

struct QuantizeArgs {
  const void* x = nullptr;
  void* y = nullptr;
  ScalarType type = ScalarType::u8;  // of the quantised side: u8 or i8; for dequantize also i32
  int64_t outer = 1, axis = 1, inner = 1;
  const float* scale = nullptr;         // [axis]
  const int32_t* zero_point = nullptr;  // [axis] or null
};

inline int64_t quantize_tasks(const QuantizeArgs& a) { return a.inner == 1 ? a.outer : a.outer * a.axis; }

struct QuantizeKernels {
  void (*quantize)(const QuantizeArgs&, int64_t begin, int64_t end) = nullptr;
  void (*dequantize)(const QuantizeArgs&, int64_t begin, int64_t end) = nullptr;
};

// For an ISA name of known_isas(); null for an unknown one.
const QuantizeKernels* quantize_kernels(std::string_view isa);

extern const QuantizeKernels quantize_kernels_portable, quantize_kernels_avx2, quantize_kernels_avx512;

}  // namespace narae::cpu
