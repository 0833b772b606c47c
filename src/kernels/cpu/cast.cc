// SPDX-License-Identifier: Apache-2.0
// One loop per pair of element types.
#include "kernels/cpu/cast.h"

#include <limits>
#include <type_traits>

namespace narae::cpu {
namespace {

struct Half {
  uint16_t bits;
};
struct Brain {
  uint16_t bits;
};
struct Bool {
  uint8_t value;
};

template <typename T>
constexpr bool is_wide_float = std::is_same_v<T, float> || std::is_same_v<T, double>;

// The value in a type that arithmetic knows.
template <typename T>
auto widened(T v) {
  if constexpr (std::is_same_v<T, Half>)
    return half_to_float(v.bits);
  else if constexpr (std::is_same_v<T, Brain>)
    return bfloat_to_float(v.bits);
  else if constexpr (std::is_same_v<T, Bool>)
    return static_cast<uint8_t>(v.value != 0);
  else
    return v;
}

template <typename To, typename From>
To converted(From v) {
  if constexpr (std::is_same_v<To, Half>)
    return {float_to_half(static_cast<float>(v))};
  else if constexpr (std::is_same_v<To, Brain>)
    return {float_to_bfloat(static_cast<float>(v))};
  else if constexpr (std::is_same_v<To, Bool>)
    return {static_cast<uint8_t>(v != From{})};
  else if constexpr (std::is_integral_v<To> && is_wide_float<From>) {
    // 2^bits is a float; the largest integer may not be one.
    constexpr From low = static_cast<From>(std::numeric_limits<To>::min());
    constexpr From half_range = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1), high = 2 * half_range;
    if (v != v) return 0;
    if (v >= high) return std::numeric_limits<To>::max();
    return v <= low ? std::numeric_limits<To>::min() : static_cast<To>(v);
  } else
    return static_cast<To>(v);
}

template <typename From, typename To>
void cast_loop(const void* in, void* out, int64_t begin, int64_t end) {
  const From* x = static_cast<const From*>(in);
  To* y = static_cast<To*>(out);
  for (int64_t i = begin; i < end; i++) y[i] = converted<To>(widened(x[i]));
}

// Calls f with a value of the type that stores `type`.
template <typename F>
void visit(DType type, F f) {
  switch (type) {
    case DType::f32: return f(float{});
    case DType::f16: return f(Half{});
    case DType::bf16: return f(Brain{});
    case DType::f64: return f(double{});
    case DType::i8: return f(int8_t{});
    case DType::u8: return f(uint8_t{});
    case DType::i16: return f(int16_t{});
    case DType::u16: return f(uint16_t{});
    case DType::i32: return f(int32_t{});
    case DType::u32: return f(uint32_t{});
    case DType::i64: return f(int64_t{});
    case DType::u64: return f(uint64_t{});
    case DType::boolean: return f(Bool{});
  }
}

}  // namespace

void cast_run(DType from, DType to, const void* in, void* out, int64_t begin, int64_t end) {
  visit(from, [&](auto source) {
    visit(to, [&](auto target) { cast_loop<decltype(source), decltype(target)>(in, out, begin, end); });
  });
}

}  // namespace narae::cpu
