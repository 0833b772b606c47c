// SPDX-License-Identifier: Apache-2.0
// Loops over one contiguous row in the vector vocabulary: whole vectors, one masked tail, folds with several running
// values. Include one vec_*.h and vec_math.h first.
#pragma once

#include <cstring>

#include "kernels/cpu/vec_math.h"

namespace narae::cpu {
namespace {

constexpr int64_t W = vec_width;

// Calls f(i, n) for whole vectors (n == W) and once for the tail; Unroll whole vectors per turn.
template <int Unroll, typename Whole, typename Tail>
NARAE_INLINE void for_vectors(int64_t columns, Whole whole, Tail tail) {
  int64_t i = 0;
  if constexpr (Unroll == 4) {
    for (; i + 4 * W <= columns; i += 4 * W) {
      whole(i);
      whole(i + W);
      whole(i + 2 * W);
      whole(i + 3 * W);
    }
  }
  for (; i + W <= columns; i += W) whole(i);
  if (i < columns) tail(i, columns - i);
}

// Four running values, so that neither latency nor a long chain of roundings counts. The tail is padded with `padding`,
// which must change nothing; the values start at `start` and meet by `join`.
template <typename F, typename Join>
NARAE_INLINE Vf fold_row(const float* a, int64_t n, float padding, F f, Join join, float start) {
  Vf r0 = splat(start), r1 = r0, r2 = r0, r3 = r0;
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
    r0 = f(r0, load(a + i));
    r1 = f(r1, load(a + i + W));
    r2 = f(r2, load(a + i + 2 * W));
    r3 = f(r3, load(a + i + 3 * W));
  }
  for (; i + W <= n; i += W) r0 = f(r0, load(a + i));
  if (i < n) {
    float rest[W];
    store(rest, splat(padding));
    std::memcpy(rest, a + i, static_cast<size_t>(n - i) * sizeof(float));
    r1 = f(r1, load(rest));
  }
  return join(join(r0, r1), join(r2, r3));
}
template <typename F, typename Join>
NARAE_INLINE Vf fold_row(const float* a, int64_t n, float empty, F f, Join join) {
  return fold_row(a, n, empty, f, join, empty);
}
template <typename F>
NARAE_INLINE Vf fold_row(const float* a, int64_t n, float empty, F f) {
  return fold_row(a, n, empty, f, f, empty);
}

[[maybe_unused]] float row_sum(const float* a, int64_t n) {
  return reduce_add(fold_row(a, n, 0.0f, [](Vf x, Vf y) { return x + y; }));
}
[[maybe_unused]] float row_max(const float* a, int64_t n) {
  const Vf r = fold_row(a, n, -__builtin_inff(), [](Vf x, Vf y) { return max_nan(x, y); });
  return bits(is_nan(r)) ? __builtin_nanf("") : reduce_max(r);
}
[[maybe_unused]] float row_min(const float* a, int64_t n) {
  const Vf r = fold_row(a, n, __builtin_inff(), [](Vf x, Vf y) { return min_nan(x, y); });
  return bits(is_nan(r)) ? __builtin_nanf("") : reduce_min(r);
}

}  // namespace
}  // namespace narae::cpu
