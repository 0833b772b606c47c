// SPDX-License-Identifier: Apache-2.0
// The reductions, written once. Sums run in several accumulators and, across rows, in blocks, so that their error does
// not grow with the length.
#pragma once

#include "kernels/cpu/reduce.h"
#include "kernels/cpu/vec_rows.h"

namespace narae::cpu {
namespace {

constexpr int64_t reduce_vectors = 4;  // inner vectors per task
constexpr int64_t reduce_width = reduce_vectors * W;
constexpr int64_t sum_block = 64;

// What one element contributes, how two contributions meet, where they start.
struct FoldSum {
  static constexpr float empty = 0.0f;
  static constexpr bool blocked = true;
  NARAE_INLINE static Vf map(Vf x) { return x; }
  NARAE_INLINE static Vf join(Vf a, Vf b) { return a + b; }
};
struct FoldSquares : FoldSum {
  NARAE_INLINE static Vf map(Vf x) { return x * x; }
};
struct FoldAbs : FoldSum {
  NARAE_INLINE static Vf map(Vf x) { return abs(x); }
};
struct FoldProduct {
  static constexpr float empty = 1.0f;
  static constexpr bool blocked = false;
  NARAE_INLINE static Vf map(Vf x) { return x; }
  NARAE_INLINE static Vf join(Vf a, Vf b) { return a * b; }
};
struct FoldMax {
  static constexpr float empty = -__builtin_inff();
  static constexpr bool blocked = false;
  NARAE_INLINE static Vf map(Vf x) { return x; }
  NARAE_INLINE static Vf join(Vf a, Vf b) { return max_nan(a, b); }
};
struct FoldMin {
  static constexpr float empty = __builtin_inff();
  static constexpr bool blocked = false;
  NARAE_INLINE static Vf map(Vf x) { return x; }
  NARAE_INLINE static Vf join(Vf a, Vf b) { return min_nan(a, b); }
};

NARAE_INLINE Vf finish(Vf v, Reduction kind, int64_t n) {
  switch (kind) {
    case Reduction::mean: return v * splat(1.0f / static_cast<float>(n));
    case Reduction::l2: return sqrt(v);
    case Reduction::log_sum: return log(v);
    default: return v;
  }
}

float across_lanes(Vf v, Reduction kind) {
  if (kind == Reduction::max || kind == Reduction::min) {
    if (bits(is_nan(v))) return __builtin_nanf("");
    return kind == Reduction::max ? reduce_max(v) : reduce_min(v);
  }
  if (kind != Reduction::prod) return reduce_add(v);
  float lanes[W], product = 1.0f;
  store(lanes, v);
  for (int64_t i = 0; i < W; i++) product *= lanes[i];
  return product;
}

template <typename Fold>
NARAE_INLINE float reduce_row(const float* x, int64_t n, Reduction kind) {
  // The padding of the tail must be neutral after map(), and 0 is for squares and magnitudes.
  const Vf v = fold_row(
      x, n, Fold::empty, [](Vf a, Vf b) { return Fold::join(a, Fold::map(b)); },
      [](Vf a, Vf b) { return Fold::join(a, b); });
  float result[W];
  store(result, finish(splat(across_lanes(v, kind)), kind, n));
  return result[0];
}

// One block of inner positions, `width` of them (a whole block, or fewer at the end).
template <typename Fold>
NARAE_INLINE void reduce_columns(const float* x, float* y, int64_t n, int64_t inner, int64_t width, Reduction kind) {
  for (int64_t v = 0; v < width; v += W) {
    const int64_t lanes = width - v < W ? width - v : W;
    Vf total = splat(Fold::empty);
    for (int64_t i0 = 0; i0 < n; i0 += sum_block) {
      const int64_t i1 = Fold::blocked && i0 + sum_block < n ? i0 + sum_block : n;
      Vf part = splat(Fold::empty);
      const float* p = x + i0 * inner + v;
      if (lanes == W)
        for (int64_t i = i0; i < i1; i++, p += inner) part = Fold::join(part, Fold::map(load(p)));
      else
        for (int64_t i = i0; i < i1; i++, p += inner) part = Fold::join(part, Fold::map(load(p, lanes)));
      total = Fold::join(total, part);
      if (!Fold::blocked) break;
    }
    store(y + v, finish(total, kind, n), lanes);
  }
}

template <typename Fold>
void reduce_tasks_of(const ReduceArgs& a, Reduction kind, int64_t begin, int64_t end) {
  if (a.inner == 1) {
    for (int64_t r = begin; r < end; r++) a.y[r] = reduce_row<Fold>(a.x + r * a.n, a.n, kind);
    return;
  }
  const int64_t blocks = (a.inner + reduce_width - 1) / reduce_width;
  for (int64_t t = begin; t < end; t++) {
    const int64_t o = t / blocks, start = t % blocks * reduce_width;
    const int64_t width = a.inner - start < reduce_width ? a.inner - start : reduce_width;
    reduce_columns<Fold>(a.x + o * a.n * a.inner + start, a.y + o * a.inner + start, a.n, a.inner, width, kind);
  }
}

// exp(x - high) summed, for one row; written to y where y is not null.
NARAE_INLINE float exp_row(const float* x, float* y, int64_t n, float high) {
  const Vf h = splat(high);
  Vf s0 = zero(), s1 = s0;
  int64_t i = 0;
  for (; i + 2 * W <= n; i += 2 * W) {
    const Vf e0 = exp(load(x + i) - h), e1 = exp(load(x + i + W) - h);
    if (y) store(y + i, e0), store(y + i + W, e1);
    s0 = s0 + e0, s1 = s1 + e1;
  }
  for (; i < n; i += W) {
    const int64_t lanes = n - i < W ? n - i : W;
    const Vf e = exp(load(x + i, lanes) - h);
    if (y) store(y + i, e, lanes);
    float kept[W];
    store(kept, zero());
    store(kept, e, lanes);
    s0 = s0 + load(kept);
  }
  return reduce_add(s0 + s1);
}

float log_of(float x) {
  float out[W];
  store(out, log(splat(x)));
  return out[0];
}
// Rows of infinities: x - high would be NaN where the answer is the infinity itself.
NARAE_INLINE float finite_or_zero(float high) { return high - high == 0.0f ? high : 0.0f; }

float log_sum_exp_row(const float* x, int64_t n) {
  const float high = finite_or_zero(row_max(x, n));
  return high + log_of(exp_row(x, nullptr, n, high));
}

void log_sum_exp_columns(const float* x, float* y, int64_t n, int64_t inner, int64_t width) {
  for (int64_t v = 0; v < width; v += W) {
    const int64_t lanes = width - v < W ? width - v : W;
    Vf high = splat(-__builtin_inff()), sum = zero();
    for (int64_t i = 0; i < n; i++) high = max_nan(high, load(x + i * inner + v, lanes));
    high = select(abs(high) < splat(__builtin_inff()), high, zero());
    for (int64_t i = 0; i < n; i++) sum = sum + exp(load(x + i * inner + v, lanes) - high);
    store(y + v, high + log(sum), lanes);
  }
}

void reduce_log_sum_exp(const ReduceArgs& a, int64_t begin, int64_t end) {
  const int64_t blocks = (a.inner + reduce_width - 1) / reduce_width;
  for (int64_t t = begin; t < end; t++) {
    if (a.inner == 1) {
      a.y[t] = log_sum_exp_row(a.x + t * a.n, a.n);
      continue;
    }
    const int64_t o = t / blocks, start = t % blocks * reduce_width;
    const int64_t width = a.inner - start < reduce_width ? a.inner - start : reduce_width;
    log_sum_exp_columns(a.x + o * a.n * a.inner + start, a.y + o * a.inner + start, a.n, a.inner, width);
  }
}

void run_reduce(const ReduceArgs& a, Reduction kind, int64_t begin, int64_t end) {
  switch (kind) {
    case Reduction::sum:
    case Reduction::mean:
    case Reduction::log_sum: return reduce_tasks_of<FoldSum>(a, kind, begin, end);
    case Reduction::sum_square:
    case Reduction::l2: return reduce_tasks_of<FoldSquares>(a, kind, begin, end);
    case Reduction::l1: return reduce_tasks_of<FoldAbs>(a, kind, begin, end);
    case Reduction::prod: return reduce_tasks_of<FoldProduct>(a, kind, begin, end);
    case Reduction::max: return reduce_tasks_of<FoldMax>(a, kind, begin, end);
    case Reduction::min: return reduce_tasks_of<FoldMin>(a, kind, begin, end);
    case Reduction::log_sum_exp: return reduce_log_sum_exp(a, begin, end);
  }
}

void softmax_row(const float* x, float* y, int64_t n, bool log_form) {
  const float high = row_max(x, n);
  if (log_form) {
    const Vf shift = splat(high + log_of(exp_row(x, nullptr, n, high)));
    for_vectors<4>(
        n, [&](int64_t i) { store(y + i, load(x + i) - shift); },
        [&](int64_t i, int64_t rest) { store(y + i, load(x + i, rest) - shift, rest); });
    return;
  }
  const Vf scale = splat(1.0f / exp_row(x, y, n, high));
  for_vectors<4>(
      n, [&](int64_t i) { store(y + i, load(y + i) * scale); },
      [&](int64_t i, int64_t rest) { store(y + i, load(y + i, rest) * scale, rest); });
}

void softmax_columns(const float* x, float* y, int64_t n, int64_t inner, int64_t width, bool log_form) {
  for (int64_t v = 0; v < width; v += W) {
    const int64_t lanes = width - v < W ? width - v : W;
    Vf high = splat(-__builtin_inff()), sum = zero();
    for (int64_t i = 0; i < n; i++) high = max_nan(high, load(x + i * inner + v, lanes));
    if (log_form) {
      for (int64_t i = 0; i < n; i++) sum = sum + exp(load(x + i * inner + v, lanes) - high);
      const Vf shift = high + log(sum);
      for (int64_t i = 0; i < n; i++) store(y + i * inner + v, load(x + i * inner + v, lanes) - shift, lanes);
      continue;
    }
    for (int64_t i = 0; i < n; i++) {
      const Vf e = exp(load(x + i * inner + v, lanes) - high);
      store(y + i * inner + v, e, lanes);
      sum = sum + e;
    }
    const Vf scale = splat(1.0f) / sum;
    for (int64_t i = 0; i < n; i++) store(y + i * inner + v, load(y + i * inner + v, lanes) * scale, lanes);
  }
}

void run_softmax(const ReduceArgs& a, bool log_form, int64_t begin, int64_t end) {
  const int64_t blocks = (a.inner + reduce_width - 1) / reduce_width;
  for (int64_t t = begin; t < end; t++) {
    if (a.inner == 1) {
      softmax_row(a.x + t * a.n, a.y + t * a.n, a.n, log_form);
      continue;
    }
    const int64_t start = t % blocks * reduce_width, offset = t / blocks * a.n * a.inner + start;
    const int64_t width = a.inner - start < reduce_width ? a.inner - start : reduce_width;
    softmax_columns(a.x + offset, a.y + offset, a.n, a.inner, width, log_form);
  }
}

// (x - mean) * r * scale + bias over one row.
NARAE_INLINE void apply_norm(const float* x, float* y, const NormArgs& a, float mean, float r) {
  const Vf m = splat(mean), rr = splat(r);
  auto one = [&](int64_t i, auto load_at) {
    Vf v = (load_at(x + i) - m) * rr;
    if (a.scale) v = v * load_at(a.scale + i);
    if (a.bias) v = v + load_at(a.bias + i);
    return v;
  };
  for_vectors<1>(
      a.n, [&](int64_t i) { store(y + i, one(i, [](const float* p) { return load(p); })); },
      [&](int64_t i, int64_t rest) { store(y + i, one(i, [&](const float* p) { return load(p, rest); }), rest); });
}

float inverse_sqrt(float x) {
  float out[W];
  store(out, splat(1.0f) / sqrt(splat(x)));
  return out[0];
}

void run_layer_norm(const NormArgs& a, int64_t begin, int64_t end) {
  const float inverse_n = 1.0f / static_cast<float>(a.n);
  for (int64_t row = begin; row < end; row++) {
    const float* x = a.x + row * a.n;
    const float mean = row_sum(x, a.n) * inverse_n;
    const Vf m = splat(mean);
    // The tail is padded with the mean, which contributes nothing.
    const Vf squares = fold_row(
        x, a.n, mean, [&](Vf s, Vf v) { return fma(v - m, v - m, s); }, [](Vf s, Vf t) { return s + t; }, 0.0f);
    const float r = inverse_sqrt(reduce_add(squares) * inverse_n + a.epsilon);
    apply_norm(x, a.y + row * a.n, a, mean, r);
  }
}

void run_rms_norm(const NormArgs& a, int64_t begin, int64_t end) {
  const float inverse_n = 1.0f / static_cast<float>(a.n);
  for (int64_t row = begin; row < end; row++) {
    const float* x = a.x + row * a.n;
    const Vf squares = fold_row(
        x, a.n, 0.0f, [](Vf s, Vf v) { return fma(v, v, s); }, [](Vf s, Vf t) { return s + t; });
    const float r = inverse_sqrt(reduce_add(squares) * inverse_n + a.epsilon);
    apply_norm(x, a.y + row * a.n, a, 0.0f, r);
  }
}

constexpr ReduceKernels reduce_here() { return {reduce_width, run_reduce, run_softmax, run_layer_norm, run_rms_norm}; }

}  // namespace
}  // namespace narae::cpu
