// SPDX-License-Identifier: Apache-2.0
// Element types. The names are what graph text, JSON and error messages print.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace narae {

enum class DType : uint8_t { f32, f16, bf16, f64, i8, u8, i16, u16, i32, u32, i64, u64, boolean };
inline constexpr int dtype_count = 13;

size_t dtype_size(DType type);  // bytes of one element
const char* dtype_name(DType type);
// Throws Error usage for an unknown name.
DType dtype_from_name(std::string_view name);
bool is_float(DType type);
bool is_integer(DType type);  // boolean is neither float nor integer

// IEEE half and bfloat16 stored as bits; conversions round to nearest even.
float half_to_float(uint16_t bits);
uint16_t float_to_half(float value);
inline float bfloat_to_float(uint16_t bits) {
  const uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}
uint16_t float_to_bfloat(float value);

}  // namespace narae
