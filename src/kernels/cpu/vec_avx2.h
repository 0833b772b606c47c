// SPDX-License-Identifier: Apache-2.0
// The vector vocabulary of the *_impl.h kernels, 8 floats wide. Everything is in an unnamed namespace: the same names
// mean other code in each instruction set's compile unit and must never be merged by the linker.
#pragma once

#include <immintrin.h>

#include <cstdint>

#define NARAE_INLINE inline __attribute__((always_inline))

namespace narae::cpu {
namespace {

struct Vf {
  __m256 v;
};
struct Vi {
  __m256i v;
};
struct Vm {
  __m256 m;
};
constexpr int vec_width = 8;
constexpr int channel_block = 8;  // c of NCHWc layouts

alignas(32) constexpr int32_t tail_lanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
NARAE_INLINE __m256i tail_mask(int64_t n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tail_lanes + 8 - n));
}
NARAE_INLINE Vf load(const float* p) { return {_mm256_loadu_ps(p)}; }
NARAE_INLINE Vf load(const float* p, int64_t n) { return {_mm256_maskload_ps(p, tail_mask(n))}; }
NARAE_INLINE void store(float* p, Vf a) { _mm256_storeu_ps(p, a.v); }
NARAE_INLINE void store(float* p, Vf a, int64_t n) { _mm256_maskstore_ps(p, tail_mask(n), a.v); }
NARAE_INLINE Vf splat(float a) { return {_mm256_set1_ps(a)}; }
NARAE_INLINE Vi splat_int(int32_t a) { return {_mm256_set1_epi32(a)}; }

NARAE_INLINE Vf operator+(Vf a, Vf b) { return {_mm256_add_ps(a.v, b.v)}; }
NARAE_INLINE Vf operator-(Vf a, Vf b) { return {_mm256_sub_ps(a.v, b.v)}; }
NARAE_INLINE Vf operator*(Vf a, Vf b) { return {_mm256_mul_ps(a.v, b.v)}; }
NARAE_INLINE Vf operator/(Vf a, Vf b) { return {_mm256_div_ps(a.v, b.v)}; }
NARAE_INLINE Vf fma(Vf a, Vf b, Vf c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
// c - a * b
NARAE_INLINE Vf fnma(Vf a, Vf b, Vf c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
// a * b - c
NARAE_INLINE Vf fms(Vf a, Vf b, Vf c) { return {_mm256_fmsub_ps(a.v, b.v, c.v)}; }
// Where either is NaN: b.
NARAE_INLINE Vf min_b(Vf a, Vf b) { return {_mm256_min_ps(a.v, b.v)}; }
NARAE_INLINE Vf max_b(Vf a, Vf b) { return {_mm256_max_ps(a.v, b.v)}; }
NARAE_INLINE Vf sqrt(Vf a) { return {_mm256_sqrt_ps(a.v)}; }
NARAE_INLINE Vf floor(Vf a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)}; }
NARAE_INLINE Vf ceil(Vf a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)}; }
NARAE_INLINE Vf trunc(Vf a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)}; }
NARAE_INLINE Vf round_even(Vf a) { return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }

NARAE_INLINE Vm operator<(Vf a, Vf b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
NARAE_INLINE Vm operator<=(Vf a, Vf b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
NARAE_INLINE Vm operator>(Vf a, Vf b) { return b < a; }
NARAE_INLINE Vm operator>=(Vf a, Vf b) { return b <= a; }
NARAE_INLINE Vm operator==(Vf a, Vf b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
NARAE_INLINE Vm operator!=(Vf a, Vf b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_NEQ_UQ)}; }
NARAE_INLINE Vm operator&(Vm a, Vm b) { return {_mm256_and_ps(a.m, b.m)}; }
NARAE_INLINE Vm operator|(Vm a, Vm b) { return {_mm256_or_ps(a.m, b.m)}; }
NARAE_INLINE Vm operator^(Vm a, Vm b) { return {_mm256_xor_ps(a.m, b.m)}; }
NARAE_INLINE Vm operator!(Vm a) { return {_mm256_xor_ps(a.m, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))}; }
NARAE_INLINE uint32_t bits(Vm a) { return static_cast<uint32_t>(_mm256_movemask_ps(a.m)); }
NARAE_INLINE Vf select(Vm m, Vf a, Vf b) { return {_mm256_blendv_ps(b.v, a.v, m.m)}; }

NARAE_INLINE Vi as_int(Vf a) { return {_mm256_castps_si256(a.v)}; }
NARAE_INLINE Vf as_float(Vi a) { return {_mm256_castsi256_ps(a.v)}; }
// Rounds half to even; the value must fit.
NARAE_INLINE Vi to_int(Vf a) { return {_mm256_cvtps_epi32(a.v)}; }
NARAE_INLINE Vf to_float(Vi a) { return {_mm256_cvtepi32_ps(a.v)}; }
NARAE_INLINE Vi operator+(Vi a, Vi b) { return {_mm256_add_epi32(a.v, b.v)}; }
NARAE_INLINE Vi operator-(Vi a, Vi b) { return {_mm256_sub_epi32(a.v, b.v)}; }
NARAE_INLINE Vi operator&(Vi a, Vi b) { return {_mm256_and_si256(a.v, b.v)}; }
NARAE_INLINE Vi operator|(Vi a, Vi b) { return {_mm256_or_si256(a.v, b.v)}; }
NARAE_INLINE Vi operator^(Vi a, Vi b) { return {_mm256_xor_si256(a.v, b.v)}; }
template <int N>
NARAE_INLINE Vi shift_left(Vi a) {
  return {_mm256_slli_epi32(a.v, N)};
}
template <int N>
NARAE_INLINE Vi shift_right_signed(Vi a) {
  return {_mm256_srai_epi32(a.v, N)};
}
// a * 2^n for whole n in [-250, 250], with gradual underflow and overflow to infinity.
NARAE_INLINE Vf scale_by_power(Vf a, Vf n) {
  const Vi whole = to_int(n), half = shift_right_signed<1>(whole), bias = splat_int(127);
  return a * as_float(shift_left<23>(half + bias)) * as_float(shift_left<23>(whole - half + bias));
}
NARAE_INLINE Vm is_zero(Vi a) { return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(a.v, _mm256_setzero_si256()))}; }

NARAE_INLINE float reduce_add(Vf a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
NARAE_INLINE float reduce_max(Vf a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
NARAE_INLINE float reduce_min(Vf a) {
  __m128 s = _mm_min_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  s = _mm_min_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_min_ss(s, _mm_movehdup_ps(s)));
}

NARAE_INLINE Vf load_as_float(const uint8_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
}
NARAE_INLINE Vf load_as_float(const int8_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))))};
}
NARAE_INLINE Vf load_as_float(const int32_t* p) {
  return {_mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
NARAE_INLINE Vf load_f16(const uint16_t* p) {
  return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
NARAE_INLINE Vf load_bf16(const uint16_t* p) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16))};
}
NARAE_INLINE __m128i pack_halves(__m256i a) {
  return _mm256_castsi256_si128(_mm256_permute4x64_epi64(_mm256_packus_epi32(a, a), 0x08));
}
// Low bytes of integers that already fit.
NARAE_INLINE void store_bytes(void* p, Vi a) {
  const __m128i halves = pack_halves(_mm256_and_si256(a.v, _mm256_set1_epi32(0xff)));
  _mm_storel_epi64(static_cast<__m128i*>(p), _mm_packus_epi16(halves, halves));
}
NARAE_INLINE void store_int(int32_t* p, Vi a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), a.v); }
NARAE_INLINE void store_f16(uint16_t* p, Vf a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
NARAE_INLINE void store_high_halves(uint16_t* p, Vi a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), pack_halves(_mm256_srli_epi32(a.v, 16)));
}

// r[i] lane j becomes r[j] lane i.
NARAE_INLINE void transpose_square(Vf (&r)[8]) {
  __m256 t[8], u[8];
// Macro calls without ends confuse the formatter.
// clang-format off
#define NARAE_PAIR(i)                                        \
  t[2 * i] = _mm256_unpacklo_ps(r[2 * i].v, r[2 * i + 1].v); \
  t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i].v, r[2 * i + 1].v);
  NARAE_PAIR(0)
  NARAE_PAIR(1)
  NARAE_PAIR(2)
  NARAE_PAIR(3)
#undef NARAE_PAIR
#define NARAE_QUAD(q)                                                   \
  u[4 * q] = _mm256_shuffle_ps(t[4 * q], t[4 * q + 2], 0x44),           \
        u[4 * q + 1] = _mm256_shuffle_ps(t[4 * q], t[4 * q + 2], 0xee); \
  u[4 * q + 2] = _mm256_shuffle_ps(t[4 * q + 1], t[4 * q + 3], 0x44);   \
  u[4 * q + 3] = _mm256_shuffle_ps(t[4 * q + 1], t[4 * q + 3], 0xee);
  NARAE_QUAD(0)
  NARAE_QUAD(1)
#undef NARAE_QUAD
#define NARAE_COLUMN(c) \
  r[c].v = _mm256_permute2f128_ps(u[c], u[4 + c], 0x20), r[4 + c].v = _mm256_permute2f128_ps(u[c], u[4 + c], 0x31);
  NARAE_COLUMN(0) NARAE_COLUMN(1) NARAE_COLUMN(2) NARAE_COLUMN(3)
#undef NARAE_COLUMN
  // clang-format on
}

}  // namespace
}  // namespace narae::cpu
