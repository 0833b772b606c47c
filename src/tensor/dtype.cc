// SPDX-License-Identifier: Apache-2.0
// Sizes and names of element types, and the 16-bit float conversions.
#include "tensor/dtype.h"

#include "base/error.h"

namespace narae {
namespace {
struct Row {
  const char* name;
  size_t size;
};
constexpr Row rows[dtype_count] = {{"f32", 4}, {"f16", 2}, {"bf16", 2}, {"f64", 8}, {"i8", 1},  {"u8", 1},  {"i16", 2},
                                   {"u16", 2}, {"i32", 4}, {"u32", 4},  {"i64", 8}, {"u64", 8}, {"bool", 1}};
}  // namespace

size_t dtype_size(DType type) { return rows[static_cast<int>(type)].size; }
const char* dtype_name(DType type) { return rows[static_cast<int>(type)].name; }

DType dtype_from_name(std::string_view name) {
  for (int i = 0; i < dtype_count; ++i) {
    if (name == rows[i].name) return static_cast<DType>(i);
  }
  fail(ErrorCode::bad_file, "unknown element type \"{}\"", name);
}

bool is_float(DType type) {
  return type == DType::f32 || type == DType::f16 || type == DType::bf16 || type == DType::f64;
}
bool is_integer(DType type) { return !is_float(type) && type != DType::boolean; }

float half_to_float(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  uint32_t exponent = (bits >> 10) & 0x1fu;
  uint32_t mantissa = bits & 0x3ffu;
  uint32_t wide;
  if (exponent == 0x1f) {
    wide = sign | 0x7f800000u | (mantissa << 13);
  } else if (exponent != 0) {
    wide = sign | ((exponent + 112) << 23) | (mantissa << 13);
  } else if (mantissa == 0) {
    wide = sign;
  } else {
    exponent = 113;
    while (!(mantissa & 0x400u)) {
      mantissa <<= 1;
      --exponent;
    }
    wide = sign | (exponent << 23) | ((mantissa & 0x3ffu) << 13);
  }
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

uint16_t float_to_half(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t absolute = bits & 0x7fffffffu;
  if (absolute > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((absolute >> 13) & 0x3ffu));
  if (absolute >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // rounds to infinity
  if (absolute >= 0x38800000u) {
    const uint32_t rounded = absolute + 0xfffu + ((absolute >> 13) & 1u);
    return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
  }
  if (absolute < 0x33000000u) return static_cast<uint16_t>(sign);
  const uint32_t shift = 126 - (absolute >> 23);
  const uint32_t mantissa = (absolute & 0x7fffffu) | 0x800000u;
  const uint32_t half = mantissa >> shift;
  const uint32_t rest = mantissa & ((1u << shift) - 1);
  const uint32_t middle = 1u << (shift - 1);
  return static_cast<uint16_t>(sign | (half + (rest > middle || (rest == middle && (half & 1u)))));
}

uint16_t float_to_bfloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace narae
