// SPDX-License-Identifier: Apache-2.0
// The Winograd transforms over the vector vocabulary of vec_<isa>.h, which the including file brings with `block`, the
// floats of a channel block. Loops over tile positions must unroll, or the tile is copied through memory twice.
#pragma once

#include "kernels/cpu/winograd.h"

namespace narae::cpu {
namespace {

// B^T d, points 0, 1, -1 (m = 2) and also 2, -2 (m = 4).
NARAE_INLINE void input_line(const Vf (&d)[4], Vf (&t)[4]) {
  t[0] = d[0] - d[2];
  t[1] = d[1] + d[2];
  t[2] = d[2] - d[1];
  t[3] = d[1] - d[3];
}
NARAE_INLINE void input_line(const Vf (&d)[6], Vf (&t)[6]) {
  const Vf four = splat(4.f), five = splat(5.f), two = splat(2.f);
  const Vf a = fnma(four, d[2], d[4]), b = fnma(four, d[1], d[3]);
  const Vf c = d[4] - d[2], e = two * (d[3] - d[1]);
  t[0] = fma(four, d[0], fnma(five, d[2], d[4]));
  t[1] = a + b;
  t[2] = a - b;
  t[3] = c + e;
  t[4] = c - e;
  t[5] = fma(four, d[1], fnma(five, d[3], d[5]));
}

// A^T m
NARAE_INLINE void output_line(const Vf (&m)[4], Vf (&y)[2]) {
  y[0] = m[0] + m[1] + m[2];
  y[1] = m[1] - m[2] - m[3];
}
NARAE_INLINE void output_line(const Vf (&m)[6], Vf (&y)[4]) {
  const Vf p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], s = m[3] - m[4];
  y[0] = m[0] + p + r;
  y[1] = fma(splat(2.f), s, q);
  y[2] = fma(splat(4.f), r, p);
  y[3] = fma(splat(8.f), s, q) + m[5];
}

template <int M>
void transform_input(const float* in, int64_t row, float* out, int64_t xi_stride) {
  constexpr int A = M + 2;
  for (int lane = 0; lane < block; lane += vec_width) {
    Vf columns[A][A];
    for (int j = 0; j < A; ++j) {
      Vf d[A], t[A];
      for (int i = 0; i < A; ++i) d[i] = load(in + i * row + j * block + lane);
      input_line(d, t);
      for (int i = 0; i < A; ++i) columns[i][j] = t[i];
    }
    for (int i = 0; i < A; ++i) {
      Vf t[A];
      input_line(columns[i], t);
      for (int j = 0; j < A; ++j) store(out + (i * A + j) * xi_stride + lane, t[j]);
    }
  }
}

NARAE_INLINE Vf activate(Vf x, const WinogradOutput& a) {
  const Vf zero = splat(0.f);
  switch (a.act) {
    case Act::none: return x;
    case Act::relu: return max_b(x, zero);
    case Act::clip: return min_b(max_b(x, splat(a.lo)), splat(a.hi));
    case Act::hard_swish: return x * min_b(max_b(fma(x, splat(1.f / 6.f), splat(0.5f)), zero), splat(1.f));
    case Act::leaky: return fma(min_b(x, zero), splat(a.lo), max_b(x, zero));
  }
  return x;
}

template <int M>
void transform_output(const WinogradOutput& args) {
  constexpr int A = M + 2;
  for (int lane = 0; lane < block; lane += vec_width) {
    Vf rows[M][A];
    for (int j = 0; j < A; ++j) {
      Vf m[A], y[M];
      for (int i = 0; i < A; ++i) m[i] = load(args.products + (i * A + j) * args.xi_stride + lane);
      output_line(m, y);
      for (int i = 0; i < M; ++i) rows[i][j] = y[i];
    }
    const Vf bias = args.bias ? load(args.bias + lane) : splat(0.f);
    for (int i = 0; i < M; ++i) {
      Vf y[M];
      output_line(rows[i], y);
      for (int j = 0; j < M; ++j) {
        Vf x = y[j] + bias;
        if (args.residual) x = x + load(args.residual + i * args.residual_row + j * block + lane);
        store(args.out + i * args.out_row + j * block + lane, activate(x, args));
      }
    }
  }
}

}  // namespace
}  // namespace narae::cpu
