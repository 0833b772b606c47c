// SPDX-License-Identifier: Apache-2.0
// Batch-reduce GEMM tiles on 512-bit registers: at most 28 accumulators, 1 to 4 vectors of B and one broadcast of A.
#include <immintrin.h>

namespace narae::cpu {
namespace {

struct Simd {
  using V = __m512;
  static constexpr int lanes = 16;
  static constexpr int registers = 32;
  static inline V zero() { return _mm512_setzero_ps(); }
  static inline V set1(float x) { return _mm512_set1_ps(x); }
  static inline V load(const float* p) { return _mm512_loadu_ps(p); }
  static inline void store(float* p, V x) { _mm512_storeu_ps(p, x); }
  static inline __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1u); }
  static inline V load_first(const float* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
  static inline void store_first(float* p, V x, int n) { _mm512_mask_storeu_ps(p, first(n), x); }
  static inline V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  // Written out so that the sum stays in its register: the intrinsic lets the compiler rotate registers and spill one.
  static inline void accumulate(V& c, V a, V b) { __asm__("vfmadd231ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b)); }
  static inline void accumulate_broadcast(V& c, const float* a, V b) {
    __asm__("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(c) : "v"(b), "m"(*a));
  }
  static inline V add(V a, V b) { return _mm512_add_ps(a, b); }
  static inline V mul(V a, V b) { return _mm512_mul_ps(a, b); }
  static inline V min(V a, V b) { return _mm512_min_ps(a, b); }
  static inline V max(V a, V b) { return _mm512_max_ps(a, b); }
  static inline void prefetch(const float* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }
};

}  // namespace
}  // namespace narae::cpu

#include "kernels/cpu/brgemm_tile.h"
#include "kernels/cpu/peaks.h"

namespace narae::cpu {
namespace {

constexpr BrgemmTiles make_tiles() {
  BrgemmTiles t;
  t.lanes = Simd::lanes;
  t.registers = Simd::registers;
  t.max_vectors = 4;
  fill_tiles<1>(t, std::make_integer_sequence<int, 28>());
  fill_tiles<2>(t, std::make_integer_sequence<int, 14>());
  fill_tiles<3>(t, std::make_integer_sequence<int, 8>());
  fill_tiles<4>(t, std::make_integer_sequence<int, 6>());
  t.multiply_add_peak = peak_fma_avx512;
  return t;
}

}  // namespace

constexpr BrgemmTiles brgemm_tiles_avx512 = make_tiles();

}  // namespace narae::cpu
