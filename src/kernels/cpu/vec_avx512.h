// SPDX-License-Identifier: Apache-2.0
// The vector vocabulary of the *_impl.h kernels, 16 floats wide. Everything is in an unnamed namespace: the same names
// mean other code in each instruction set's compile unit and must never be merged by the linker.
#pragma once

#include <immintrin.h>

#include <cstdint>

#define NARAE_INLINE inline __attribute__((always_inline))

namespace narae::cpu {
namespace {

struct Vf {
  __m512 v;
};
struct Vi {
  __m512i v;
};
struct Vm {
  __mmask16 m;
};
constexpr int vec_width = 16;
constexpr int channel_block = 16;  // c of NCHWc layouts

NARAE_INLINE __mmask16 tail_mask(int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
NARAE_INLINE Vf load(const float* p) { return {_mm512_loadu_ps(p)}; }
NARAE_INLINE Vf load(const float* p, int64_t n) { return {_mm512_maskz_loadu_ps(tail_mask(n), p)}; }
NARAE_INLINE void store(float* p, Vf a) { _mm512_storeu_ps(p, a.v); }
NARAE_INLINE void store(float* p, Vf a, int64_t n) { _mm512_mask_storeu_ps(p, tail_mask(n), a.v); }
NARAE_INLINE Vf splat(float a) { return {_mm512_set1_ps(a)}; }
NARAE_INLINE Vi splat_int(int32_t a) { return {_mm512_set1_epi32(a)}; }

NARAE_INLINE Vf operator+(Vf a, Vf b) { return {_mm512_add_ps(a.v, b.v)}; }
NARAE_INLINE Vf operator-(Vf a, Vf b) { return {_mm512_sub_ps(a.v, b.v)}; }
NARAE_INLINE Vf operator*(Vf a, Vf b) { return {_mm512_mul_ps(a.v, b.v)}; }
NARAE_INLINE Vf operator/(Vf a, Vf b) { return {_mm512_div_ps(a.v, b.v)}; }
NARAE_INLINE Vf fma(Vf a, Vf b, Vf c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
// c - a * b
NARAE_INLINE Vf fnma(Vf a, Vf b, Vf c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
// a * b - c
NARAE_INLINE Vf fms(Vf a, Vf b, Vf c) { return {_mm512_fmsub_ps(a.v, b.v, c.v)}; }
// Where either is NaN: b.
NARAE_INLINE Vf min_b(Vf a, Vf b) { return {_mm512_min_ps(a.v, b.v)}; }
NARAE_INLINE Vf max_b(Vf a, Vf b) { return {_mm512_max_ps(a.v, b.v)}; }
NARAE_INLINE Vf sqrt(Vf a) { return {_mm512_sqrt_ps(a.v)}; }
NARAE_INLINE Vf floor(Vf a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)}; }
NARAE_INLINE Vf ceil(Vf a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)}; }
NARAE_INLINE Vf trunc(Vf a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)}; }
NARAE_INLINE Vf round_even(Vf a) { return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }

NARAE_INLINE Vm operator<(Vf a, Vf b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
NARAE_INLINE Vm operator<=(Vf a, Vf b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
NARAE_INLINE Vm operator>(Vf a, Vf b) { return b < a; }
NARAE_INLINE Vm operator>=(Vf a, Vf b) { return b <= a; }
NARAE_INLINE Vm operator==(Vf a, Vf b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
NARAE_INLINE Vm operator!=(Vf a, Vf b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_NEQ_UQ)}; }
NARAE_INLINE Vm operator&(Vm a, Vm b) { return {static_cast<__mmask16>(a.m & b.m)}; }
NARAE_INLINE Vm operator|(Vm a, Vm b) { return {static_cast<__mmask16>(a.m | b.m)}; }
NARAE_INLINE Vm operator^(Vm a, Vm b) { return {static_cast<__mmask16>(a.m ^ b.m)}; }
NARAE_INLINE Vm operator!(Vm a) { return {static_cast<__mmask16>(~a.m)}; }
NARAE_INLINE uint32_t bits(Vm a) { return a.m; }
NARAE_INLINE Vf select(Vm m, Vf a, Vf b) { return {_mm512_mask_blend_ps(m.m, b.v, a.v)}; }

NARAE_INLINE Vi as_int(Vf a) { return {_mm512_castps_si512(a.v)}; }
NARAE_INLINE Vf as_float(Vi a) { return {_mm512_castsi512_ps(a.v)}; }
// Rounds half to even; the value must fit.
NARAE_INLINE Vi to_int(Vf a) { return {_mm512_cvtps_epi32(a.v)}; }
NARAE_INLINE Vf to_float(Vi a) { return {_mm512_cvtepi32_ps(a.v)}; }
NARAE_INLINE Vi operator+(Vi a, Vi b) { return {_mm512_add_epi32(a.v, b.v)}; }
NARAE_INLINE Vi operator-(Vi a, Vi b) { return {_mm512_sub_epi32(a.v, b.v)}; }
NARAE_INLINE Vi operator&(Vi a, Vi b) { return {_mm512_and_si512(a.v, b.v)}; }
NARAE_INLINE Vi operator|(Vi a, Vi b) { return {_mm512_or_si512(a.v, b.v)}; }
NARAE_INLINE Vi operator^(Vi a, Vi b) { return {_mm512_xor_si512(a.v, b.v)}; }
template <int N>
NARAE_INLINE Vi shift_left(Vi a) {
  return {_mm512_slli_epi32(a.v, N)};
}
template <int N>
NARAE_INLINE Vi shift_right_signed(Vi a) {
  return {_mm512_srai_epi32(a.v, N)};
}
// a * 2^n for whole n, with gradual underflow and overflow to infinity.
NARAE_INLINE Vf scale_by_power(Vf a, Vf n) { return {_mm512_scalef_ps(a.v, n.v)}; }
NARAE_INLINE Vm is_zero(Vi a) { return {_mm512_testn_epi32_mask(a.v, a.v)}; }

NARAE_INLINE float reduce_add(Vf a) { return _mm512_reduce_add_ps(a.v); }
NARAE_INLINE float reduce_max(Vf a) { return _mm512_reduce_max_ps(a.v); }
NARAE_INLINE float reduce_min(Vf a) { return _mm512_reduce_min_ps(a.v); }

NARAE_INLINE Vf load_as_float(const uint8_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}
NARAE_INLINE Vf load_as_float(const int8_t* p) {
  return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
}
NARAE_INLINE Vf load_as_float(const int32_t* p) { return {_mm512_cvtepi32_ps(_mm512_loadu_si512(p))}; }
NARAE_INLINE Vf load_f16(const uint16_t* p) {
  return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
NARAE_INLINE Vf load_bf16(const uint16_t* p) {
  return {_mm512_castsi512_ps(
      _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16))};
}
// Low bytes of integers that already fit.
NARAE_INLINE void store_bytes(void* p, Vi a) { _mm_storeu_si128(static_cast<__m128i*>(p), _mm512_cvtepi32_epi8(a.v)); }
NARAE_INLINE void store_int(int32_t* p, Vi a) { _mm512_storeu_si512(p, a.v); }
NARAE_INLINE void store_f16(uint16_t* p, Vf a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
NARAE_INLINE void store_high_halves(uint16_t* p, Vi a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(_mm512_srli_epi32(a.v, 16)));
}

// r[i] lane j becomes r[j] lane i.
NARAE_INLINE void transpose_square(Vf (&r)[16]) {
  __m512 t[16], u[16];
// Macro calls without ends confuse the formatter.
// clang-format off
#define NARAE_PAIR(i)                                        \
  t[2 * i] = _mm512_unpacklo_ps(r[2 * i].v, r[2 * i + 1].v); \
  t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i].v, r[2 * i + 1].v);
  NARAE_PAIR(0)
  NARAE_PAIR(1)
  NARAE_PAIR(2)
  NARAE_PAIR(3)
  NARAE_PAIR(4) NARAE_PAIR(5) NARAE_PAIR(6) NARAE_PAIR(7)
#undef NARAE_PAIR
  // u[4 q + c]: in each 128-bit part p, column 4 p + c of rows 4 q .. 4 q + 3.
#define NARAE_QUAD(q)                                                   \
  u[4 * q] = _mm512_shuffle_ps(t[4 * q], t[4 * q + 2], 0x44),           \
        u[4 * q + 1] = _mm512_shuffle_ps(t[4 * q], t[4 * q + 2], 0xee); \
  u[4 * q + 2] = _mm512_shuffle_ps(t[4 * q + 1], t[4 * q + 3], 0x44);   \
  u[4 * q + 3] = _mm512_shuffle_ps(t[4 * q + 1], t[4 * q + 3], 0xee);
  NARAE_QUAD(0) NARAE_QUAD(1) NARAE_QUAD(2) NARAE_QUAD(3)
#undef NARAE_QUAD
  // The 4 x 4 parts of columns c, c + 4, c + 8, c + 12.
#define NARAE_COLUMN(c)                                                                                          \
  {                                                                                                              \
    const __m512 a = _mm512_shuffle_f32x4(u[c], u[4 + c], 0x88), b = _mm512_shuffle_f32x4(u[c], u[4 + c], 0xdd); \
    const __m512 d = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0x88),                                            \
                 e = _mm512_shuffle_f32x4(u[8 + c], u[12 + c], 0xdd);                                            \
    r[c].v = _mm512_shuffle_f32x4(a, d, 0x88), r[8 + c].v = _mm512_shuffle_f32x4(a, d, 0xdd);                    \
    r[4 + c].v = _mm512_shuffle_f32x4(b, e, 0x88), r[12 + c].v = _mm512_shuffle_f32x4(b, e, 0xdd);               \
  }
  NARAE_COLUMN(0) NARAE_COLUMN(1) NARAE_COLUMN(2) NARAE_COLUMN(3)
#undef NARAE_COLUMN
  // clang-format on
}

}  // namespace
}  // namespace narae::cpu
