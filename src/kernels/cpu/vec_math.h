// SPDX-License-Identifier: Apache-2.0
// Elementary functions over the vector vocabulary; include one vec_*.h first. Against double precision the relative
// error stays below 1e-6 (mostly 2 units in the last place) wherever the result is a normal number. Polynomials are our
// own weighted minimax fits. Infinities and NaN follow scalar_apply(); lanes out of a fast range are redone one by one.
#pragma once

#include "tensor/scalar_program.h"

namespace narae::cpu {
namespace {

NARAE_INLINE Vf zero() { return splat(0.0f); }
NARAE_INLINE Vf operator-(Vf a) { return as_float(as_int(a) ^ splat_int(INT32_MIN)); }
NARAE_INLINE Vf abs(Vf a) { return as_float(as_int(a) & splat_int(0x7fffffff)); }
NARAE_INLINE Vf copy_sign(Vf magnitude, Vf sign) {
  return as_float((as_int(magnitude) & splat_int(0x7fffffff)) | (as_int(sign) & splat_int(INT32_MIN)));
}
NARAE_INLINE Vf one_where(Vm m) { return select(m, splat(1.0f), zero()); }
NARAE_INLINE Vm is_nan(Vf a) { return a != a; }
NARAE_INLINE Vm is_true(Vf a) { return a != zero(); }
// NaN in either gives NaN.
NARAE_INLINE Vf min_nan(Vf a, Vf b) { return select(is_nan(a), a, min_b(a, b)); }
NARAE_INLINE Vf max_nan(Vf a, Vf b) { return select(is_nan(a), a, max_b(a, b)); }
NARAE_INLINE Vf clip(Vf x, Vf low, Vf high) { return min_b(high, max_b(low, x)); }

// The lanes of `where` by the definition of `op`.
__attribute__((noinline)) Vf redo_lanes(ScalarOp op, uint32_t where, Vf a, Vf b, Vf result) {
  const float none[2] = {0, 0};
  float x[vec_width], y[vec_width], r[vec_width];
  store(x, a), store(y, b), store(r, result);
  for (int i = 0; i < vec_width; i++)
    if (where >> i & 1) r[i] = scalar_apply(op, x[i], y[i], 0.0f, none);
  return load(r);
}

// e^r - 1 for |r| <= 0.35, relative to the result.
NARAE_INLINE Vf expm1_small(Vf r) {
  Vf p = splat(1.381446689e-03f);
  p = fma(p, r, splat(8.368780415e-03f));
  p = fma(p, r, splat(4.166839421e-02f));
  p = fma(p, r, splat(1.666652011e-01f));
  p = fma(p, r, splat(4.999999341e-01f));
  return fma(r * r, p, r);
}
NARAE_INLINE Vf exp(Vf x) {
  x = max_b(splat(-110.0f), min_b(splat(95.0f), x));
  const Vf n = round_even(x * splat(1.44269504f));
  Vf r = fnma(n, splat(0.693145752f), x);
  r = fnma(n, splat(1.42860677e-6f), r);
  return scale_by_power(expm1_small(r) + splat(1.0f), n);
}
NARAE_INLINE Vf expm1(Vf x) { return select(abs(x) < splat(0.34f), expm1_small(x), exp(x) - splat(1.0f)); }

// log(1 + r) - r for 1 + r in [sqrt(1/2), sqrt(2)]; `tail` is added before the large terms.
NARAE_INLINE Vf log1p_rest(Vf r, Vf tail) {
  Vf p = splat(6.746641052e-02f);
  p = fma(p, r, splat(-1.167565197e-01f));
  p = fma(p, r, splat(1.188816210e-01f));
  p = fma(p, r, splat(-1.240558888e-01f));
  p = fma(p, r, splat(1.421955238e-01f));
  p = fma(p, r, splat(-1.666799586e-01f));
  p = fma(p, r, splat(2.000211866e-01f));
  p = fma(p, r, splat(-2.500000960e-01f));
  p = fma(p, r, splat(3.333331260e-01f));
  const Vf z = r * r;
  return fnma(splat(0.5f), z, fma(p * r, z, tail));
}
// x = m 2^e, m in [sqrt(1/2), sqrt(2)); x positive, finite, normal.
NARAE_INLINE Vf split_exponent(Vf x, Vf& e) {
  const Vi root_half = splat_int(0x3f3504f3);
  const Vi shifted = as_int(x) - root_half;
  e = to_float(shift_right_signed<23>(shifted));
  return as_float((shifted & splat_int(0x7fffff)) + root_half);
}
NARAE_INLINE Vf log(Vf x) {
  const Vm tiny = x < splat(1.17549435e-38f);
  Vf e;
  const Vf m = split_exponent(select(tiny, x * splat(8388608.0f), x), e);
  e = e - select(tiny, splat(23.0f), zero());
  const Vf r = m - splat(1.0f);
  Vf y = fma(e, splat(0.693359375f), r + log1p_rest(r, e * splat(-2.12194440e-4f)));
  const Vf infinity = splat(__builtin_inff());
  y = select(x == zero(), -infinity, y);
  y = select(x < zero(), splat(__builtin_nanf("")), y);
  return select((x == infinity) | is_nan(x), x, y);
}
// Kahan's correction of log(1 + x) by x / ((1 + x) - 1).
NARAE_INLINE Vf log1p(Vf x) {
  const Vf u = x + splat(1.0f), d = u - splat(1.0f);
  const Vf y = log(u) * (x / d);
  return select((d == zero()) | (u == splat(__builtin_inff())), x, select(u == zero(), log(u), y));
}

NARAE_INLINE Vf sigmoid(Vf x) { return splat(1.0f) / (splat(1.0f) + exp(-x)); }
// Results below 2e-36 (x < -88) become zero.
NARAE_INLINE Vf silu(Vf x) { return max_b(splat(-1e30f), x) / (splat(1.0f) + exp(-x)); }
NARAE_INLINE Vf tanh(Vf x) {
  const Vf a = abs(x), z = x * x;
  Vf p = splat(-5.704987201e-03f);
  p = fma(p, z, splat(2.063908743e-02f));
  p = fma(p, z, splat(-5.373971514e-02f));
  p = fma(p, z, splat(1.333144220e-01f));
  p = fma(p, z, splat(-3.333328194e-01f));
  const Vf small = fma(x * z, p, x);
  const Vf large = splat(1.0f) - splat(2.0f) / (exp(a + a) + splat(1.0f));
  return select(a < splat(0.625f), small, copy_sign(large, x));
}
NARAE_INLINE Vf softplus(Vf x) { return max_b(zero(), x) + log1p(exp(-abs(x))); }
// tanh(log(1 + e^x)) = n / (n + 2) with n = e^x (e^x + 2).
NARAE_INLINE Vf mish(Vf x) {
  const Vf w = exp(min_b(splat(20.0f), x)), n = w * (w + splat(2.0f));
  return max_b(splat(-1e30f), x) * (n / (n + splat(2.0f)));
}

// e^(t^2) erfc(t) for t in [0, 10.5], a polynomial in (t - 2) / (t + 2).
NARAE_INLINE Vf scaled_erfc(Vf t) {
  const Vf q = (t - splat(2.0f)) / (t + splat(2.0f));
  Vf p = splat(1.090514730e-04f);
  p = fma(p, q, splat(6.532067756e-05f));
  p = fma(p, q, splat(-9.280906703e-04f));
  p = fma(p, q, splat(-8.566231032e-04f));
  p = fma(p, q, splat(6.978702916e-03f));
  p = fma(p, q, splat(3.735395005e-03f));
  p = fma(p, q, splat(-7.897601045e-02f));
  p = fma(p, q, splat(2.416579051e-01f));
  p = fma(p, q, splat(-4.271859396e-01f));
  return fma(p, q, splat(2.553956818e-01f));
}
// e^(-c a^2), the rounding of a^2 made good.
NARAE_INLINE Vf exp_of_square(Vf a, float c) {
  const Vf high = a * a, low = fms(a, a, high), e = exp(high * splat(-c));
  return fnma(e, low * splat(c), e);
}
NARAE_INLINE Vf erf(Vf x) {
  const Vf t = min_b(splat(10.0f), abs(x)), z = t * t;
  Vf p = splat(7.853875858e-05f);
  p = fma(p, z, splat(-8.010198383e-04f));
  p = fma(p, z, splat(5.188328287e-03f));
  p = fma(p, z, splat(-2.685381230e-02f));
  p = fma(p, z, splat(1.128358516e-01f));
  p = fma(p, z, splat(-3.761262583e-01f));
  p = fma(p, z, splat(1.128379166e+00f));
  const Vf large = fnma(scaled_erfc(t), exp_of_square(t, 1.0f), splat(1.0f));
  return copy_sign(select(t < splat(0.9f), t * p, large), x);
}
// max(x, 0) - |x|/2 erfc(|x| / sqrt 2): no cancellation at either end.
NARAE_INLINE Vf gelu(Vf x) {
  const Vf a = min_b(splat(14.5f), abs(x));
  const Vf tail = scaled_erfc(a * splat(0.707106781f)) * exp_of_square(a, 0.5f);
  return fnma(a * splat(0.5f), tail, max_b(zero(), x));
}
// 1e-5 relative at the far tail, where u is large.
NARAE_INLINE Vf gelu_tanh(Vf x) {
  const Vf c = max_b(splat(-1e10f), x);
  const Vf twice_u = splat(1.59576912f) * fma(c * splat(0.044715f), c * c, c);
  return c / (splat(1.0f) + exp(-twice_u));
}

// x - n pi/2 with n = round(x 2/pi); good to |x| of about 1e5.
constexpr float sincos_limit = 1e5f;
NARAE_INLINE Vf reduce_quarter_turns(Vf x, Vi& n) {
  const Vf turns = round_even(x * splat(0.636619772f));
  n = to_int(turns);
  Vf r = fnma(turns, splat(1.57079637e+00f), x);
  r = fnma(turns, splat(-4.37113883e-08f), r);
  return fnma(turns, splat(-1.71512451e-15f), r);
}
NARAE_INLINE Vf sin_small(Vf r) {
  const Vf z = r * r;
  Vf p = splat(2.718114132e-06f);
  p = fma(p, z, splat(-1.983931149e-04f));
  p = fma(p, z, splat(8.333329302e-03f));
  p = fma(p, z, splat(-1.666666664e-01f));
  return fma(r * z, p, r);
}
NARAE_INLINE Vf cos_small(Vf r) {
  const Vf z = r * r;
  Vf p = splat(2.443308260e-05f);
  p = fma(p, z, splat(-1.388731562e-03f));
  p = fma(p, z, splat(4.166664567e-02f));
  return fma(z * z, p, fnma(splat(0.5f), z, splat(1.0f)));
}
// sin(x + shift pi/2)
NARAE_INLINE Vf sin_shifted(Vf x, int shift, ScalarOp op) {
  Vi n;
  const Vf r = reduce_quarter_turns(x, n);
  n = n + splat_int(shift);
  const Vf y = select(is_zero(n & splat_int(1)), sin_small(r), cos_small(r));
  const Vf signed_y = select(is_zero(n & splat_int(2)), y, -y);
  const uint32_t far = bits(!(abs(x) <= splat(sincos_limit)));
  return __builtin_expect(far != 0, 0) ? redo_lanes(op, far, x, x, signed_y) : signed_y;
}
NARAE_INLINE Vf tan(Vf x) {
  Vi n;
  const Vf r = reduce_quarter_turns(x, n);
  const Vf s = sin_small(r), c = cos_small(r);
  const Vm even = is_zero(n & splat_int(1));
  const Vf y = select(even, s, -c) / select(even, c, s);
  const uint32_t far = bits(!(abs(x) <= splat(sincos_limit)));
  return __builtin_expect(far != 0, 0) ? redo_lanes(ScalarOp::tan, far, x, x, y) : y;
}

// 2^(y log2 x) with log2 x in two floats; only x positive, finite and normal takes this way.
NARAE_INLINE Vf pow(Vf x, Vf y) {
  Vf e;
  const Vf m = split_exponent(x, e);
  // s = (m - 1) / (m + 1) in two floats, log m = 2 s + s^3 P(s^2).
  const Vf a = m - splat(1.0f), b = m + splat(1.0f), b_low = m - (b - splat(1.0f));
  const Vf s = a / b, s_low = fnma(s, b_low, fnma(s, b, a)) / b;
  const Vf z = s * s;
  Vf p = splat(2.853734687e-01f);
  p = fma(splat(2.358147390e-01f), z, p);
  p = fma(p, z, splat(4.000033454e-01f));
  p = fma(p, z, splat(6.666666565e-01f));
  // 2 / ln 2 in two floats.
  const Vf c = splat(2.88539004e+00f), c_low = splat(3.85192607e-08f);
  const Vf h = c * s;
  Vf h_low = fms(c, s, h);
  h_low = fma(c, s_low, fma(c_low, s, h_low));
  h_low = fma(splat(1.44269504f) * s * z, p, h_low);
  const Vf sum = e + h, rest = (h - (sum - e)) + h_low;
  const Vf high = sum + rest, low = rest - (high - sum);
  const Vf t = y * high;
  const Vf t_low = fma(y, low, fms(y, high, t));
  const Vf limited = max_b(splat(-200.0f), min_b(splat(200.0f), t));
  const Vf n = round_even(limited);
  const Vf f = (limited - n) + select(limited == t, t_low, zero());
  Vf r = splat(1.534581171e-04f);
  r = fma(r, f, splat(1.339993122e-03f));
  r = fma(r, f, splat(9.618488958e-03f));
  r = fma(r, f, splat(5.550328777e-02f));
  r = fma(r, f, splat(2.402264689e-01f));
  r = fma(r, f, splat(6.931472057e-01f));
  r = fma(r, f, splat(1.0f));
  r = scale_by_power(r, n);
  const Vf infinity = splat(__builtin_inff());
  const uint32_t odd = bits(!((x >= splat(1.17549435e-38f)) & (x < infinity) & (abs(y) < infinity)));
  return __builtin_expect(odd != 0, 0) ? redo_lanes(ScalarOp::pow, odd, x, y, r) : r;
}

}  // namespace
}  // namespace narae::cpu
