// SPDX-License-Identifier: Apache-2.0
// The vector vocabulary of the *_impl.h kernels on the compiler's own 4-float vectors: runs on any processor, and is
// what the kernels fall back to. The same names as in the wider files, so it too stays in an unnamed namespace.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#define NARAE_INLINE inline __attribute__((always_inline))

namespace narae::cpu {
namespace {

typedef float Float4 __attribute__((vector_size(16)));
typedef int32_t Int4 __attribute__((vector_size(16)));

struct Vf {
  Float4 v;
};
struct Vi {
  Int4 v;
};
struct Vm {
  Int4 m;  // all bits of a lane, or none
};
constexpr int vec_width = 4;
constexpr int channel_block = 8;  // c of NCHWc layouts

NARAE_INLINE Vi as_int(Vf a) { return {(Int4)a.v}; }
NARAE_INLINE Vf as_float(Vi a) { return {(Float4)a.v}; }
NARAE_INLINE Vf load(const float* p) {
  Vf a;
  std::memcpy(&a.v, p, sizeof a.v);
  return a;
}
NARAE_INLINE Vf load(const float* p, int64_t n) {
  Vf a = {Float4{0, 0, 0, 0}};
  for (int64_t i = 0; i < n; i++) a.v[i] = p[i];
  return a;
}
NARAE_INLINE void store(float* p, Vf a) { std::memcpy(p, &a.v, sizeof a.v); }
NARAE_INLINE void store(float* p, Vf a, int64_t n) {
  for (int64_t i = 0; i < n; i++) p[i] = a.v[i];
}
NARAE_INLINE Vf splat(float a) { return {Float4{a, a, a, a}}; }
NARAE_INLINE Vi splat_int(int32_t a) { return {Int4{a, a, a, a}}; }

NARAE_INLINE Vf operator+(Vf a, Vf b) { return {a.v + b.v}; }
NARAE_INLINE Vf operator-(Vf a, Vf b) { return {a.v - b.v}; }
NARAE_INLINE Vf operator*(Vf a, Vf b) { return {a.v * b.v}; }
NARAE_INLINE Vf operator/(Vf a, Vf b) { return {a.v / b.v}; }
template <typename F>
NARAE_INLINE Vf lanes(Vf a, F f) {
  for (int i = 0; i < vec_width; i++) a.v[i] = f(a.v[i]);
  return a;
}
// Truly fused: the error terms of pow need it.
NARAE_INLINE Vf fma(Vf a, Vf b, Vf c) {
  for (int i = 0; i < vec_width; i++)
    c.v[i] =
        static_cast<float>(static_cast<double>(a.v[i]) * static_cast<double>(b.v[i]) + static_cast<double>(c.v[i]));
  return c;
}
NARAE_INLINE Vf fnma(Vf a, Vf b, Vf c) { return fma({-a.v}, b, c); }
NARAE_INLINE Vf fms(Vf a, Vf b, Vf c) { return fma(a, b, {-c.v}); }

NARAE_INLINE Vm operator<(Vf a, Vf b) { return {(Int4)(a.v < b.v)}; }
NARAE_INLINE Vm operator<=(Vf a, Vf b) { return {(Int4)(a.v <= b.v)}; }
NARAE_INLINE Vm operator>(Vf a, Vf b) { return b < a; }
NARAE_INLINE Vm operator>=(Vf a, Vf b) { return b <= a; }
NARAE_INLINE Vm operator==(Vf a, Vf b) { return {(Int4)(a.v == b.v)}; }
NARAE_INLINE Vm operator!=(Vf a, Vf b) { return {(Int4)(a.v != b.v)}; }
NARAE_INLINE Vm operator&(Vm a, Vm b) { return {a.m & b.m}; }
NARAE_INLINE Vm operator|(Vm a, Vm b) { return {a.m | b.m}; }
NARAE_INLINE Vm operator^(Vm a, Vm b) { return {a.m ^ b.m}; }
NARAE_INLINE Vm operator!(Vm a) { return {~a.m}; }
NARAE_INLINE uint32_t bits(Vm a) { return (a.m[0] & 1u) | (a.m[1] & 2u) | (a.m[2] & 4u) | (a.m[3] & 8u); }
NARAE_INLINE Vf select(Vm m, Vf a, Vf b) { return {(Float4)(((Int4)a.v & m.m) | ((Int4)b.v & ~m.m))}; }
// Where either is NaN: b.
NARAE_INLINE Vf min_b(Vf a, Vf b) { return select(a < b, a, b); }
NARAE_INLINE Vf max_b(Vf a, Vf b) { return select(b < a, a, b); }

NARAE_INLINE Vf sqrt(Vf a) {
  return lanes(a, [](float x) { return __builtin_sqrtf(x); });
}
NARAE_INLINE Vf floor(Vf a) {
  return lanes(a, [](float x) { return __builtin_floorf(x); });
}
NARAE_INLINE Vf ceil(Vf a) {
  return lanes(a, [](float x) { return __builtin_ceilf(x); });
}
NARAE_INLINE Vf trunc(Vf a) {
  return lanes(a, [](float x) { return __builtin_truncf(x); });
}
NARAE_INLINE Vf round_even(Vf a) {
  return lanes(a, [](float x) { return __builtin_nearbyintf(x); });
}

// Rounds half to even; what does not fit (or is NaN) becomes INT32_MIN.
NARAE_INLINE Vi to_int(Vf a) {
  Vi r;
  for (int i = 0; i < vec_width; i++) {
    const float x = __builtin_nearbyintf(a.v[i]);
    r.v[i] = x >= -2147483648.0f && x < 2147483648.0f ? static_cast<int32_t>(x) : INT32_MIN;
  }
  return r;
}
NARAE_INLINE Vf to_float(Vi a) {
  Vf r;
  for (int i = 0; i < vec_width; i++) r.v[i] = static_cast<float>(a.v[i]);
  return r;
}
// Wraps: through unsigned, because exponent tricks overflow on lanes that are replaced later.
typedef uint32_t Uint4 __attribute__((vector_size(16)));
NARAE_INLINE Vi operator+(Vi a, Vi b) { return {(Int4)((Uint4)a.v + (Uint4)b.v)}; }
NARAE_INLINE Vi operator-(Vi a, Vi b) { return {(Int4)((Uint4)a.v - (Uint4)b.v)}; }
NARAE_INLINE Vi operator&(Vi a, Vi b) { return {a.v & b.v}; }
NARAE_INLINE Vi operator|(Vi a, Vi b) { return {a.v | b.v}; }
NARAE_INLINE Vi operator^(Vi a, Vi b) { return {a.v ^ b.v}; }
template <int N>
NARAE_INLINE Vi shift_left(Vi a) {
  return {(Int4)((Uint4)a.v << N)};
}
template <int N>
NARAE_INLINE Vi shift_right_signed(Vi a) {
  return {a.v >> N};
}
// a * 2^n for whole n in [-250, 250], with gradual underflow and overflow to infinity.
NARAE_INLINE Vf scale_by_power(Vf a, Vf n) {
  const Vi whole = to_int(n), half = shift_right_signed<1>(whole), bias = splat_int(127);
  return a * as_float(shift_left<23>(half + bias)) * as_float(shift_left<23>(whole - half + bias));
}
NARAE_INLINE Vm is_zero(Vi a) { return {(Int4)(a.v == Int4{0, 0, 0, 0})}; }

NARAE_INLINE float reduce_add(Vf a) { return (a.v[0] + a.v[2]) + (a.v[1] + a.v[3]); }
NARAE_INLINE float reduce_max(Vf a) {
  const float x = a.v[0] > a.v[1] ? a.v[0] : a.v[1], y = a.v[2] > a.v[3] ? a.v[2] : a.v[3];
  return x > y ? x : y;
}
NARAE_INLINE float reduce_min(Vf a) {
  const float x = a.v[0] < a.v[1] ? a.v[0] : a.v[1], y = a.v[2] < a.v[3] ? a.v[2] : a.v[3];
  return x < y ? x : y;
}

template <typename T>
NARAE_INLINE Vf load_as_float(const T* p) {
  return {
      Float4{static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2]), static_cast<float>(p[3])}};
}
NARAE_INLINE float half_to_float(uint16_t h) {
  const uint32_t sign = (h & 0x8000u) << 16, rest = h & 0x7fffu;
  float r;
  if (rest >= 0x7c00u) {  // infinity, NaN (made quiet)
    const uint32_t u = sign | 0x7f800000u | ((rest & 0x3ffu) << 13) | (rest > 0x7c00u ? 0x400000u : 0u);
    std::memcpy(&r, &u, 4);
  } else {
    // Normal and subnormal alike: the exponent is rebiased by a multiplication that is exact.
    const uint32_t u = rest << 13;
    std::memcpy(&r, &u, 4);
    r *= 5.192296858534828e33f;  // 2^112
    uint32_t w;
    std::memcpy(&w, &r, 4);
    w |= sign;
    std::memcpy(&r, &w, 4);
  }
  return r;
}
NARAE_INLINE uint16_t float_to_half(float x) {
  uint32_t u;
  std::memcpy(&u, &x, 4);
  const uint32_t sign = (u >> 16) & 0x8000u;
  u &= 0x7fffffffu;
  if (u > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((u >> 13) & 0x3ffu));
  if (u >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // rounds to 65536 or more
  if (u < 0x38800000u) {                                               // subnormal: let the adder round
    float f;
    std::memcpy(&f, &u, 4);
    f += 0.5f;
    uint32_t w;
    std::memcpy(&w, &f, 4);
    return static_cast<uint16_t>(sign | (w - 0x3f000000u));
  }
  u += 0xc8000fffu + ((u >> 13) & 1u);
  return static_cast<uint16_t>(sign | (u >> 13));
}
NARAE_INLINE Vf load_f16(const uint16_t* p) {
  return {Float4{half_to_float(p[0]), half_to_float(p[1]), half_to_float(p[2]), half_to_float(p[3])}};
}
NARAE_INLINE Vf load_bf16(const uint16_t* p) {
  return as_float({(Int4)(Uint4{p[0] * 65536u, p[1] * 65536u, p[2] * 65536u, p[3] * 65536u})});
}
// Low bytes of integers that already fit.
NARAE_INLINE void store_bytes(void* p, Vi a) {
  for (int i = 0; i < vec_width; i++) static_cast<uint8_t*>(p)[i] = static_cast<uint8_t>(a.v[i]);
}
NARAE_INLINE void store_int(int32_t* p, Vi a) { std::memcpy(p, &a.v, sizeof a.v); }
NARAE_INLINE void store_f16(uint16_t* p, Vf a) {
  for (int i = 0; i < vec_width; i++) p[i] = float_to_half(a.v[i]);
}
NARAE_INLINE void store_high_halves(uint16_t* p, Vi a) {
  for (int i = 0; i < vec_width; i++) p[i] = static_cast<uint16_t>(static_cast<uint32_t>(a.v[i]) >> 16);
}

// r[i] lane j becomes r[j] lane i.
NARAE_INLINE void transpose_square(Vf (&r)[4]) {
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < i; j++) {
      const float t = r[i].v[j];
      r[i].v[j] = r[j].v[i];
      r[j].v[i] = t;
    }
}

}  // namespace
}  // namespace narae::cpu
