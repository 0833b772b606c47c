// SPDX-License-Identifier: Apache-2.0
// Batch-reduce GEMM tiles on sixteen 256-bit registers: at most 12 accumulators, the vectors of B and one broadcast of
// A.
#include <immintrin.h>

namespace narae::cpu {
namespace {

struct Simd {
  using V = __m256;
  static constexpr int lanes = 8;
  static constexpr int registers = 16;
  static inline V zero() { return _mm256_setzero_ps(); }
  static inline V set1(float x) { return _mm256_set1_ps(x); }
  static inline V load(const float* p) { return _mm256_loadu_ps(p); }
  static inline void store(float* p, V x) { _mm256_storeu_ps(p, x); }
  static inline __m256i first(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static inline V load_first(const float* p, int n) { return _mm256_maskload_ps(p, first(n)); }
  static inline void store_first(float* p, V x, int n) { _mm256_maskstore_ps(p, first(n), x); }
  static inline V fma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }
  // Written out so that the sum stays in its register: the intrinsic lets the compiler rotate registers and spill one.
  static inline void accumulate(V& c, V a, V b) { __asm__("vfmadd231ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b)); }
  static inline void accumulate_broadcast(V& c, const float* a, V b) { accumulate(c, set1(*a), b); }
  static inline V add(V a, V b) { return _mm256_add_ps(a, b); }
  static inline V mul(V a, V b) { return _mm256_mul_ps(a, b); }
  static inline V min(V a, V b) { return _mm256_min_ps(a, b); }
  static inline V max(V a, V b) { return _mm256_max_ps(a, b); }
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
  fill_tiles<1>(t, std::make_integer_sequence<int, 12>());
  fill_tiles<2>(t, std::make_integer_sequence<int, 6>());
  fill_tiles<3>(t, std::make_integer_sequence<int, 4>());
  fill_tiles<4>(t, std::make_integer_sequence<int, 2>());
  t.multiply_add_peak = peak_fma_avx2;
  return t;
}

}  // namespace

constexpr BrgemmTiles brgemm_tiles_avx2 = make_tiles();

}  // namespace narae::cpu
