// SPDX-License-Identifier: Apache-2.0
// Rotary embedding, written once.
#pragma once

#include "kernels/cpu/rope.h"
#include "kernels/cpu/vec_rows.h"

namespace narae::cpu {
namespace {

// scale * cos and scale * sin of position * frequency.
NARAE_INLINE void turns_of(const RopeArgs& a, int32_t position, float* cosines, float* sines) {
  const Vf scale = splat(a.scale);
  for (int64_t i = 0; i < a.pairs; i += W) {
    const int64_t count = a.pairs - i < W ? a.pairs - i : W;
    float rest[W];
    int32_t quarter[W];
    store(rest, zero());
    for (int64_t j = 0; j < W; j++) {
      const double angle = j < count ? static_cast<double>(position) * static_cast<double>(a.frequencies[i + j]) : 0.0;
      const double n = __builtin_rint(angle * 0.63661977236758134308);
      rest[j] = static_cast<float>(angle - n * 1.57079632679489661923);
      quarter[j] = static_cast<int32_t>(static_cast<int64_t>(n) & 3);
    }
    float s[W], c[W];
    store(s, sin_small(load(rest)) * scale);
    store(c, cos_small(load(rest)) * scale);
    for (int64_t j = 0; j < count; j++) {
      const bool swapped = quarter[j] & 1;
      const float sine = swapped ? c[j] : s[j], cosine = swapped ? s[j] : c[j];
      sines[i + j] = quarter[j] & 2 ? -sine : sine;
      cosines[i + j] = (quarter[j] + 1) & 2 ? -cosine : cosine;
    }
  }
}

NARAE_INLINE void turn_head(const RopeArgs& a, const float* cosines, const float* sines, const float* x, float* y) {
  if (a.interleaved) {
    for (int64_t i = 0; i < a.pairs; i++) {
      const float first = x[2 * i], second = x[2 * i + 1];
      y[2 * i] = first * cosines[i] - second * sines[i];
      y[2 * i + 1] = second * cosines[i] + first * sines[i];
    }
  } else {
    for_vectors<1>(
        a.pairs,
        [&](int64_t i) {
          const Vf c = load(cosines + i), s = load(sines + i), first = load(x + i), second = load(x + a.pairs + i);
          store(y + i, fnma(second, s, first * c));
          store(y + a.pairs + i, fma(first, s, second * c));
        },
        [&](int64_t i, int64_t n) {
          const Vf c = load(cosines + i, n), s = load(sines + i, n);
          const Vf first = load(x + i, n), second = load(x + a.pairs + i, n);
          store(y + i, fnma(second, s, first * c), n);
          store(y + a.pairs + i, fma(first, s, second * c), n);
        });
  }
  for (int64_t i = 2 * a.pairs; i < a.width; i++) y[i] = x[i];
}

void rope_rows(const RopeArgs& a, void* scratch, int64_t row_begin, int64_t row_end) {
  auto* cosines = static_cast<float*>(scratch);
  float* sines = cosines + a.pairs + 64;
  for (int64_t row = row_begin; row < row_end; row++) {
    turns_of(a, a.positions[row], cosines, sines);
    for (int64_t head = 0; head < a.heads; head++) {
      const int64_t at = (row * a.heads + head) * a.width;
      turn_head(a, cosines, sines, a.x + at, a.y + at);
    }
  }
}

void rope_turns(const RopeArgs& a, float* turns, int64_t row_begin, int64_t row_end) {
  for (int64_t row = row_begin; row < row_end; row++) {
    float* own = turns + row * 2 * a.pairs;
    turns_of(a, a.positions[row], own, own + a.pairs);
  }
}

void rope_head(const RopeArgs& a, const float* turns, const float* x, float* y) {
  turn_head(a, turns, turns + a.pairs, x, y);
}

}  // namespace
}  // namespace narae::cpu
