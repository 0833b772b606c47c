// SPDX-License-Identifier: Apache-2.0
// The body of the batch-reduce GEMM tile, written once over a vector type `Simd` that the including file defines.
// Include it only in brgemm_<isa>.cc: everything is in an unnamed namespace so that no object compiled for a higher
// instruction set can be picked by the linker for a lower one. Every loop over the tile must be unrolled completely,
// or the compiler keeps the accumulators on the stack and the kernel runs at a quarter of its speed.
#pragma once

#include <utility>

#include "kernels/cpu/brgemm.h"

#if defined(__clang__)
#define NARAE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define NARAE_UNROLL _Pragma("GCC unroll 64")
#endif

namespace narae::cpu {
namespace {

// Rows are reached as [base + {0, 1, 2, 4} * stride] and [base + stride3] from one base per five rows, so that 28 rows
// take 10 registers and no address is computed in the loop.
constexpr int rows_per_base = 5;

template <int M>
struct RowPointers {
  static constexpr int bases = (M + rows_per_base - 1) / rows_per_base;
  const char* base[bases];

  inline __attribute__((always_inline)) void set(const float* a, int64_t row_bytes) {
    NARAE_UNROLL
    for (int j = 0; j < bases; ++j) base[j] = reinterpret_cast<const char*>(a) + j * rows_per_base * row_bytes;
  }
  inline __attribute__((always_inline)) const float* at(int m, int64_t row_bytes, int64_t row_bytes3) const {
    const int r = m % rows_per_base;
    return reinterpret_cast<const float*>(base[m / rows_per_base] + (r == 3 ? row_bytes3 : r * row_bytes));
  }
  inline __attribute__((always_inline)) void advance(int64_t bytes) {
    NARAE_UNROLL
    for (int j = 0; j < bases; ++j) {
      base[j] += bytes;
      // Hides the induction from the compiler, which would otherwise make one pointer per row and spill them.
      __asm__("" : "+r"(base[j]));
    }
  }
};

template <int M, int NV>
struct Tile {
  static constexpr int chains = brgemm_chains(Simd::registers, M* NV);
  static constexpr int L = Simd::lanes;
  using V = typename Simd::V;

  template <int Chain>
  static inline __attribute__((always_inline)) void step(V (&c)[chains][M][NV], const RowPointers<M>& a, int64_t& rb,
                                                         int64_t& rb3, const float* b, int u) {
    // Looks like a change to the compiler: else it keeps stride + 4, stride + 8 ... in registers that it does not have.
    __asm__("" : "+r"(rb), "+r"(rb3));
    V bv[NV];
    NARAE_UNROLL
    for (int v = 0; v < NV; ++v) {
      bv[v] = Simd::load(b + (u * NV + v) * L);
      __asm__("" : "+v"(bv[v]));  // or small tiles load B again for every row
    }
    NARAE_UNROLL
    for (int m = 0; m < M; ++m) {
      const float* ap = a.at(m, rb, rb3) + u;
      if constexpr (NV == 1) {
        Simd::accumulate_broadcast(c[Chain][m][0], ap, bv[0]);
      } else {
        const V av = Simd::set1(*ap);
        NARAE_UNROLL
        for (int v = 0; v < NV; ++v) Simd::accumulate(c[Chain][m][v], av, bv[v]);
      }
    }
  }

  static inline __attribute__((always_inline)) V activate(V x, Act act, V lo, V hi) {
    switch (act) {
      case Act::none: return x;
      case Act::relu: return Simd::max(x, Simd::zero());
      case Act::clip: return Simd::min(Simd::max(x, lo), hi);
      case Act::hard_swish: {
        const V gate = Simd::fma(x, Simd::set1(1.f / 6.f), Simd::set1(0.5f));
        return Simd::mul(x, Simd::min(Simd::max(gate, Simd::zero()), Simd::set1(1.f)));
      }
      case Act::leaky: return Simd::fma(Simd::min(x, Simd::zero()), lo, Simd::max(x, Simd::zero()));
    }
    return x;
  }

  template <bool Tail>
  static inline __attribute__((always_inline)) V load(const float* p, int v, int tail) {
    return Tail && v == NV - 1 ? Simd::load_first(p, tail) : Simd::load(p);
  }

  template <bool Tail>
  static inline __attribute__((always_inline)) void finish(V (&c)[chains][M][NV], const BrgemmArgs& args) {
    V(&s)[M][NV] = c[0];
    const int64_t ldc = args.ldc, cvs = args.c_vec_stride;
    const int tail = args.tail;
    if (args.accumulate) {
      NARAE_UNROLL
      for (int m = 0; m < M; ++m) {
        NARAE_UNROLL
        for (int v = 0; v < NV; ++v) s[m][v] = Simd::add(s[m][v], load<Tail>(args.c + m * ldc + v * cvs, v, tail));
      }
    }
    if (args.bias) {
      NARAE_UNROLL
      for (int v = 0; v < NV; ++v) {
        const V bias = load<Tail>(args.bias + v * L, v, tail);
        NARAE_UNROLL
        for (int m = 0; m < M; ++m) s[m][v] = Simd::add(s[m][v], bias);
      }
    }
    if (args.residual) {
      NARAE_UNROLL
      for (int m = 0; m < M; ++m) {
        NARAE_UNROLL
        for (int v = 0; v < NV; ++v)
          s[m][v] = Simd::add(s[m][v], load<Tail>(args.residual + m * args.ldr + v * args.r_vec_stride, v, tail));
      }
    }
    if (args.act == Act::relu) {
      NARAE_UNROLL
      for (int m = 0; m < M; ++m) {
        NARAE_UNROLL
        for (int v = 0; v < NV; ++v) s[m][v] = Simd::max(s[m][v], Simd::zero());
      }
    }
    NARAE_UNROLL
    for (int m = 0; m < M; ++m) {
      NARAE_UNROLL
      for (int v = 0; v < NV; ++v) {
        float* p = args.c + m * ldc + v * cvs;
        if (Tail && v == NV - 1) {
          Simd::store_first(p, s[m][v], tail);
        } else {
          Simd::store(p, s[m][v]);
        }
      }
    }
    if (args.act > Act::relu) activate_stored<Tail>(args);
  }

  // The rarer activations read the tile back from L1: with them inline above, every tile would carry their code.
  template <bool Tail>
  static __attribute__((noinline)) void activate_stored(const BrgemmArgs& args) {
    const V lo = Simd::set1(args.lo), hi = Simd::set1(args.hi);
    for (int m = 0; m < M; ++m) {
      for (int v = 0; v < NV; ++v) {
        float* p = args.c + m * args.ldc + v * args.c_vec_stride;
        const V x = activate(load<Tail>(p, v, args.tail), args.act, lo, hi);
        if (Tail && v == NV - 1) {
          Simd::store_first(p, x, args.tail);
        } else {
          Simd::store(p, x);
        }
      }
    }
  }

  static void run(const BrgemmArgs& args) {
    V c[chains][M][NV];
    NARAE_UNROLL
    for (int s = 0; s < chains; ++s) {
      NARAE_UNROLL
      for (int m = 0; m < M; ++m) {
        NARAE_UNROLL
        for (int v = 0; v < NV; ++v) c[s][m][v] = Simd::zero();
      }
    }
    int64_t rb = args.lda * static_cast<int64_t>(sizeof(float)), rb3 = 3 * rb;
    const int64_t whole = args.batch - args.short_items;
    for (int64_t i = 0; i < args.batch; ++i) {
      RowPointers<M> a;
      a.set(args.a + (args.a_offsets ? args.a_offsets[i] : i * args.a_stride), rb);
      const float* b = args.b + i * args.b_stride;
      const int64_t k = i < whole ? args.k : args.k_short;
      for (int64_t q = k >> 2; q > 0; --q) {
        step<0>(c, a, rb, rb3, b, 0);
        step<1 % chains>(c, a, rb, rb3, b, 1);
        step<2 % chains>(c, a, rb, rb3, b, 2);
        step<3 % chains>(c, a, rb, rb3, b, 3);
        a.advance(4 * sizeof(float));
        b += 4 * NV * L;
        if (M * NV <= 8) Simd::prefetch(b + 512);  // few flops per byte of B: it streams from memory
      }
      for (int64_t r = k & 3; r > 0; --r) {
        step<0>(c, a, rb, rb3, b, 0);
        a.advance(sizeof(float));
        b += NV * L;
      }
    }
    NARAE_UNROLL
    for (int s = 1; s < chains; ++s) {
      NARAE_UNROLL
      for (int m = 0; m < M; ++m) {
        NARAE_UNROLL
        for (int v = 0; v < NV; ++v) c[0][m][v] = Simd::add(c[0][m][v], c[s][m][v]);
      }
    }
    if (args.tail) {
      finish<true>(c, args);
    } else {
      finish<false>(c, args);
    }
  }
};

template <int NV, int... Rows>
constexpr void fill_tiles(BrgemmTiles& t, std::integer_sequence<int, Rows...>) {
  t.max_rows[NV - 1] = sizeof...(Rows);
  ((t.tile[NV - 1][Rows] = &Tile<Rows + 1, NV>::run), ...);
}

}  // namespace
}  // namespace narae::cpu
