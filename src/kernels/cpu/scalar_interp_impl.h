// SPDX-License-Identifier: Apache-2.0
// The steps, written once; scalar_interp_<isa>.cc includes a vec_*.h and then this. Tails are masked, never read over.
#pragma once

#include <cstring>

#include "kernels/cpu/scalar_interp.h"
#include "kernels/cpu/vec_math.h"
#include "kernels/cpu/vec_rows.h"

namespace narae::cpu {
namespace {

template <int Unroll, typename F>
NARAE_INLINE void map1(const StepArgs& s, F f) {
  for (int64_t r = 0; r < s.rows; r++) {
    const float* a = s.in[0].data + r * s.in[0].row_stride;
    float* out = s.out + r * s.out_stride;
    for_vectors<Unroll>(
        s.columns, [&](int64_t i) { store(out + i, f(load(a + i))); },
        [&](int64_t i, int64_t n) { store(out + i, f(load(a + i, n)), n); });
  }
}

// Mask: bit k says that operand k is broadcast.
template <int Unroll, int Mask, typename F>
NARAE_INLINE void map2_masked(const StepArgs& s, F f) {
  for (int64_t r = 0; r < s.rows; r++) {
    const float* a = s.in[0].data + r * s.in[0].row_stride;
    const float* b = s.in[1].data + r * s.in[1].row_stride;
    float* out = s.out + r * s.out_stride;
    const Vf one_a = splat(*a), one_b = splat(*b);
    for_vectors<Unroll>(
        s.columns,
        [&](int64_t i) { store(out + i, f(Mask & 1 ? one_a : load(a + i), Mask & 2 ? one_b : load(b + i))); },
        [&](int64_t i, int64_t n) {
          store(out + i, f(Mask & 1 ? one_a : load(a + i, n), Mask & 2 ? one_b : load(b + i, n)), n);
        });
  }
}

template <int Unroll, typename F>
NARAE_INLINE void map2(const StepArgs& s, F f) {
  // With one column a broadcast operand reads as any other.
  const int mask = s.columns == 1 ? 0 : s.in[0].broadcast + 2 * s.in[1].broadcast;
  if (mask == 0)
    map2_masked<Unroll, 0>(s, f);
  else if (mask == 1)
    map2_masked<Unroll, 1>(s, f);
  else if (mask == 2)
    map2_masked<Unroll, 2>(s, f);
  else
    map2_masked<1, 3>(s, f);
}

template <int Mask, typename F>
NARAE_INLINE void map3_masked(const StepArgs& s, F f) {
  for (int64_t r = 0; r < s.rows; r++) {
    const float* a = s.in[0].data + r * s.in[0].row_stride;
    const float* b = s.in[1].data + r * s.in[1].row_stride;
    const float* c = s.in[2].data + r * s.in[2].row_stride;
    float* out = s.out + r * s.out_stride;
    const Vf one_a = splat(*a), one_b = splat(*b), one_c = splat(*c);
    for_vectors<1>(
        s.columns,
        [&](int64_t i) {
          store(out + i,
                f(Mask & 1 ? one_a : load(a + i), Mask & 2 ? one_b : load(b + i), Mask & 4 ? one_c : load(c + i)));
        },
        [&](int64_t i, int64_t n) {
          const Vf va = Mask & 1 ? one_a : load(a + i, n), vb = Mask & 2 ? one_b : load(b + i, n);
          store(out + i, f(va, vb, Mask & 4 ? one_c : load(c + i, n)), n);
        });
  }
}

template <typename F>
NARAE_INLINE void map3(const StepArgs& s, F f) {
  const int mask = s.columns == 1 ? 0 : s.in[0].broadcast + 2 * s.in[1].broadcast + 4 * s.in[2].broadcast;
  switch (mask) {
    case 0: return map3_masked<0>(s, f);
    case 1: return map3_masked<1>(s, f);
    case 2: return map3_masked<2>(s, f);
    case 3: return map3_masked<3>(s, f);
    case 4: return map3_masked<4>(s, f);
    case 5: return map3_masked<5>(s, f);
    case 6: return map3_masked<6>(s, f);
    default: return map3_masked<7>(s, f);
  }
}

#define NARAE_STEP1(name, unroll, expression)                \
  void step_##name(const StepArgs& s) {                      \
    const Vf p = splat(s.imm[0]), q = splat(s.imm[1]);       \
    (void)p, (void)q;                                        \
    map1<unroll>(s, [=](Vf a) -> Vf { return expression; }); \
  }
#define NARAE_STEP2(name, unroll, expression)                      \
  void step_##name(const StepArgs& s) {                            \
    const Vf p = splat(s.imm[0]), q = splat(s.imm[1]);             \
    (void)p, (void)q;                                              \
    map2<unroll>(s, [=](Vf a, Vf b) -> Vf { return expression; }); \
  }
#define NARAE_STEP3(name, expression)                           \
  void step_##name(const StepArgs& s) {                         \
    map3(s, [](Vf a, Vf b, Vf c) -> Vf { return expression; }); \
  }
// The rare ones go through the definition, element by element.
#define NARAE_STEP_SLOW1(name)                                                       \
  void step_##name(const StepArgs& s) {                                              \
    map1<1>(s, [](Vf a) -> Vf { return redo_lanes(ScalarOp::name, ~0u, a, a, a); }); \
  }
#define NARAE_STEP_SLOW2(name)                                                             \
  void step_##name(const StepArgs& s) {                                                    \
    map2<1>(s, [](Vf a, Vf b) -> Vf { return redo_lanes(ScalarOp::name, ~0u, a, b, a); }); \
  }

// The only unary step that may read a broadcast operand into many columns.
void step_copy(const StepArgs& s) {
  for (int64_t r = 0; r < s.rows; r++) {
    const float* a = s.in[0].data + r * s.in[0].row_stride;
    float* out = s.out + r * s.out_stride;
    if (!s.in[0].broadcast) {
      std::memcpy(out, a, static_cast<size_t>(s.columns) * sizeof(float));
      continue;
    }
    const Vf v = splat(*a);
    for_vectors<4>(
        s.columns, [&](int64_t i) { store(out + i, v); }, [&](int64_t i, int64_t n) { store(out + i, v, n); });
  }
}

NARAE_STEP2(add, 4, a + b)
NARAE_STEP2(sub, 4, a - b)
NARAE_STEP2(mul, 4, a* b)
NARAE_STEP2(div, 1, a / b)
NARAE_STEP2(min, 4, min_nan(a, b))
NARAE_STEP2(max, 4, max_nan(a, b))
NARAE_STEP2(pow, 1, pow(a, b))
NARAE_STEP_SLOW2(mod)
NARAE_STEP_SLOW2(fmod)
NARAE_STEP2(lt, 1, one_where(a < b))
NARAE_STEP2(le, 1, one_where(a <= b))
NARAE_STEP2(gt, 1, one_where(a > b))
NARAE_STEP2(ge, 1, one_where(a >= b))
NARAE_STEP2(eq, 1, one_where(a == b))
NARAE_STEP2(ne, 1, one_where(a != b))
NARAE_STEP2(logical_and, 1, one_where(is_true(a) & is_true(b)))
NARAE_STEP2(logical_or, 1, one_where(is_true(a) | is_true(b)))
NARAE_STEP2(logical_xor, 1, one_where(is_true(a) ^ is_true(b)))
NARAE_STEP2(prelu, 1, select(a < zero(), a* b, a))
NARAE_STEP3(select, select(is_true(a), b, c))
NARAE_STEP3(fma, fma(a, b, c))
NARAE_STEP2(add_relu, 4, max_b(zero(), a + b))
NARAE_STEP2(add_clip, 4, clip(a + b, p, q))

NARAE_STEP1(neg, 4, -a)
NARAE_STEP1(abs, 4, abs(a))
NARAE_STEP1(sqrt, 1, sqrt(a))
NARAE_STEP1(rsqrt, 1, splat(1.0f) / sqrt(a))
NARAE_STEP1(reciprocal, 1, splat(1.0f) / a)
NARAE_STEP1(square, 4, a* a)
NARAE_STEP1(floor, 1, floor(a))
NARAE_STEP1(ceil, 1, ceil(a))
NARAE_STEP1(round, 1, round_even(a))
NARAE_STEP1(trunc, 1, trunc(a))
NARAE_STEP1(sign, 1, select(a > zero(), splat(1.0f), select(a < zero(), splat(-1.0f), a)))
NARAE_STEP1(is_nan, 1, one_where(is_nan(a)))
NARAE_STEP1(is_inf, 1,
            one_where((is_true(p) & (a == splat(__builtin_inff()))) | (is_true(q) & (a == splat(-__builtin_inff())))))
NARAE_STEP1(logical_not, 1, one_where(!is_true(a)))
NARAE_STEP1(exp, 1, exp(a))
NARAE_STEP1(log, 1, log(a))
NARAE_STEP1(log1p, 1, log1p(a))
NARAE_STEP1(expm1, 1, expm1(a))
NARAE_STEP1(sin, 1, sin_shifted(a, 0, ScalarOp::sin))
NARAE_STEP1(cos, 1, sin_shifted(a, 1, ScalarOp::cos))
NARAE_STEP1(tan, 1, tan(a))
NARAE_STEP_SLOW1(asin)
NARAE_STEP_SLOW1(acos)
NARAE_STEP_SLOW1(atan)
NARAE_STEP_SLOW1(sinh)
NARAE_STEP_SLOW1(cosh)
NARAE_STEP_SLOW1(asinh)
NARAE_STEP_SLOW1(acosh)
NARAE_STEP_SLOW1(atanh)
NARAE_STEP1(tanh, 1, tanh(a))
NARAE_STEP1(sigmoid, 1, sigmoid(a))
NARAE_STEP1(erf, 1, erf(a))
NARAE_STEP1(gelu, 1, gelu(a))
NARAE_STEP1(gelu_tanh, 1, gelu_tanh(a))
NARAE_STEP1(silu, 1, silu(a))
NARAE_STEP1(relu, 4, max_b(zero(), a))
NARAE_STEP1(softplus, 1, softplus(a))
NARAE_STEP1(softsign, 1, a / (splat(1.0f) + abs(a)))
NARAE_STEP1(mish, 1, mish(a))
NARAE_STEP1(leaky_relu, 4, select(a < zero(), a* p, a))
NARAE_STEP1(thresholded_relu, 1, select((a > p) | is_nan(a), a, zero()))
NARAE_STEP1(elu, 1, select(a < zero(), p* expm1(a), a))
NARAE_STEP1(celu, 1, select(a < zero(), p* expm1(a / p), a))
NARAE_STEP1(selu, 1, select(a > zero(), q* a, q* p* expm1(a)))
NARAE_STEP1(clip, 4, clip(a, p, q))
NARAE_STEP1(hard_sigmoid, 4, clip(fma(a, p, q), zero(), splat(1.0f)))
NARAE_STEP1(hard_swish, 4, a*(clip(a + splat(3.0f), zero(), splat(6.0f)) * splat(1.0f / 6.0f)))

template <typename F>
NARAE_INLINE void reduce_rows(const StepArgs& s, F f) {
  for (int64_t r = 0; r < s.rows; r++) s.out[r * s.out_stride] = f(s.in[0].data + r * s.in[0].row_stride, s.columns);
}
void step_row_sum(const StepArgs& s) { reduce_rows(s, row_sum); }
void step_row_mean(const StepArgs& s) {
  reduce_rows(s, [](const float* a, int64_t n) { return row_sum(a, n) / static_cast<float>(n); });
}
void step_row_max(const StepArgs& s) { reduce_rows(s, row_max); }
void step_row_min(const StepArgs& s) { reduce_rows(s, row_min); }

// Conversions: whole vectors in place, the tail through a padded copy.
template <typename T, typename F>
NARAE_INLINE void load_all(const void* source, float* out, int64_t n, F f) {
  const T* p = static_cast<const T*>(source);
  for_vectors<1>(
      n, [&](int64_t i) { store(out + i, f(p + i)); },
      [&](int64_t i, int64_t rest) {
        T padded[W] = {};
        std::memcpy(padded, p + i, static_cast<size_t>(rest) * sizeof(T));
        store(out + i, f(padded), rest);
      });
}
template <typename T, typename F>
NARAE_INLINE void store_all(const float* source, void* out, int64_t n, F f) {
  T* p = static_cast<T*>(out);
  for_vectors<1>(
      n, [&](int64_t i) { f(p + i, load(source + i)); },
      [&](int64_t i, int64_t rest) {
        T padded[W];
        f(padded, load(source + i, rest));
        std::memcpy(p + i, padded, static_cast<size_t>(rest) * sizeof(T));
      });
}

// Rounded and saturated; NaN becomes 0.
NARAE_INLINE Vi to_range(Vf a, float low, float high) {
  return to_int(select(is_nan(a), zero(), min_b(max_b(a, splat(low)), splat(high))));
}
NARAE_INLINE Vi bf16_bits(Vf a) {
  const Vi u = as_int(a), even = shift_right_signed<16>(u) & splat_int(1);
  const Vf rounded = as_float(u + splat_int(0x7fff) + even);
  return as_int(select(is_nan(a), as_float(u | splat_int(0x400000)), rounded));
}
int64_t to_int64(float x) {
  if (x != x) return 0;
  if (x <= -9.2233720368547758e18f) return INT64_MIN;
  return x >= 9.2233720368547758e18f ? INT64_MAX : static_cast<int64_t>(__builtin_nearbyintf(x));
}

void load_f32(const void* p, float* out, int64_t n) { std::memcpy(out, p, static_cast<size_t>(n) * sizeof(float)); }
void load_f16s(const void* p, float* out, int64_t n) {
  load_all<uint16_t>(p, out, n, [](const uint16_t* v) { return load_f16(v); });
}
void load_bf16s(const void* p, float* out, int64_t n) {
  load_all<uint16_t>(p, out, n, [](const uint16_t* v) { return load_bf16(v); });
}
void load_i32s(const void* p, float* out, int64_t n) {
  load_all<int32_t>(p, out, n, [](const int32_t* v) { return load_as_float(v); });
}
void load_i8s(const void* p, float* out, int64_t n) {
  load_all<int8_t>(p, out, n, [](const int8_t* v) { return load_as_float(v); });
}
void load_u8s(const void* p, float* out, int64_t n) {
  load_all<uint8_t>(p, out, n, [](const uint8_t* v) { return load_as_float(v); });
}
void load_i64s(const void* p, float* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = static_cast<float>(static_cast<const int64_t*>(p)[i]);
}
void load_bools(const void* p, float* out, int64_t n) {
  load_all<uint8_t>(p, out, n, [](const uint8_t* v) { return one_where(is_true(load_as_float(v))); });
}
void store_f32(const float* p, void* out, int64_t n) { std::memcpy(out, p, static_cast<size_t>(n) * sizeof(float)); }
void store_f16s(const float* p, void* out, int64_t n) {
  store_all<uint16_t>(p, out, n, [](uint16_t* v, Vf a) { store_f16(v, a); });
}
void store_bf16s(const float* p, void* out, int64_t n) {
  store_all<uint16_t>(p, out, n, [](uint16_t* v, Vf a) { store_high_halves(v, bf16_bits(a)); });
}
void store_i32s(const float* p, void* out, int64_t n) {
  store_all<int32_t>(p, out, n, [](int32_t* v, Vf a) {
    // The largest float below 2^31 is not INT32_MAX, so what saturates there is put in afterwards.
    const Vi i = to_range(a, -2147483648.0f, 2147483520.0f);
    store_int(v, as_int(select(a >= splat(2147483648.0f), as_float(splat_int(INT32_MAX)), as_float(i))));
  });
}
void store_i64s(const float* p, void* out, int64_t n) {
  for (int64_t i = 0; i < n; i++) static_cast<int64_t*>(out)[i] = to_int64(p[i]);
}
void store_i8s(const float* p, void* out, int64_t n) {
  store_all<int8_t>(p, out, n, [](int8_t* v, Vf a) { store_bytes(v, to_range(a, -128.0f, 127.0f)); });
}
void store_u8s(const float* p, void* out, int64_t n) {
  store_all<uint8_t>(p, out, n, [](uint8_t* v, Vf a) { store_bytes(v, to_range(a, 0.0f, 255.0f)); });
}
void store_bools(const float* p, void* out, int64_t n) {
  store_all<uint8_t>(p, out, n, [](uint8_t* v, Vf a) { store_bytes(v, to_int(one_where(is_true(a)))); });
}

constexpr StepFn step_constant = nullptr;
constexpr ScalarSteps steps_here() {
  ScalarSteps s;
  s.lanes = vec_width;
#define NARAE_SET_STEP(name, operands, immediates) s.step[step_index(ScalarOp::name)] = step_##name;
  NARAE_SCALAR_OPS(NARAE_SET_STEP)
#undef NARAE_SET_STEP
  s.step[step_index(ScalarOp::add, FusedStep::add_relu)] = step_add_relu;
  s.step[step_index(ScalarOp::add, FusedStep::add_clip)] = step_add_clip;
#define NARAE_SET_TYPE(type, loader, storer)           \
  s.load[static_cast<int>(ScalarType::type)] = loader; \
  s.store[static_cast<int>(ScalarType::type)] = storer;
  NARAE_SET_TYPE(f32, load_f32, store_f32)
  NARAE_SET_TYPE(f16, load_f16s, store_f16s)
  NARAE_SET_TYPE(bf16, load_bf16s, store_bf16s)
  NARAE_SET_TYPE(i32, load_i32s, store_i32s)
  NARAE_SET_TYPE(i64, load_i64s, store_i64s)
  NARAE_SET_TYPE(i8, load_i8s, store_i8s)
  NARAE_SET_TYPE(u8, load_u8s, store_u8s)
  NARAE_SET_TYPE(boolean, load_bools, store_bools)
#undef NARAE_SET_TYPE
  return s;
}

}  // namespace
}  // namespace narae::cpu
