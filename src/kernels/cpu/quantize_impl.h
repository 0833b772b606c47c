// SPDX-License-Identifier: Apache-2.0
// Quantisation, written once. The division is a division: a reciprocal rounds other ties.
#pragma once

#include <cstring>

#include "kernels/cpu/quantize.h"
#include "kernels/cpu/vec_rows.h"

namespace narae::cpu {
namespace {

// Scale and zero point of element i: the same for a whole row, or one each.
struct RowScale {
  const float* scale;
  const int32_t* zero_point;
  bool each;

  NARAE_INLINE Vf scale_at(int64_t i, int64_t n) const {
    if (!each) return splat(scale[0]);
    return n == W ? load(scale + i) : load(scale + i, n);
  }
  NARAE_INLINE Vf zero_at(int64_t i, int64_t n) const {
    if (!zero_point) return zero();
    if (!each) return splat(static_cast<float>(zero_point[0]));
    if (n == W) return load_as_float(zero_point + i);
    int32_t padded[W] = {};
    std::memcpy(padded, zero_point + i, static_cast<size_t>(n) * sizeof(int32_t));
    return load_as_float(padded);
  }
};

void quantize_row(const float* x, uint8_t* y, int64_t n, const RowScale& s, bool is_signed) {
  const Vf low = splat(is_signed ? -128.0f : 0.0f), high = splat(is_signed ? 127.0f : 255.0f);
  auto quantised = [&](Vf v, int64_t i, int64_t lanes) {
    const Vf q = round_even(v / s.scale_at(i, lanes)) + s.zero_at(i, lanes);
    return to_int(select(is_nan(q), zero(), min_b(max_b(q, low), high)));
  };
  for_vectors<1>(
      n, [&](int64_t i) { store_bytes(y + i, quantised(load(x + i), i, W)); },
      [&](int64_t i, int64_t rest) {
        uint8_t padded[W];
        // Lanes past the end divide by zero; they are not copied.
        store_bytes(padded, quantised(load(x + i, rest), i, rest));
        std::memcpy(y + i, padded, static_cast<size_t>(rest));
      });
}

template <typename T>
void dequantize_row(const T* x, float* y, int64_t n, const RowScale& s) {
  for_vectors<1>(
      n, [&](int64_t i) { store(y + i, (load_as_float(x + i) - s.zero_at(i, W)) * s.scale_at(i, W)); },
      [&](int64_t i, int64_t rest) {
        T padded[W] = {};
        std::memcpy(padded, x + i, static_cast<size_t>(rest) * sizeof(T));
        store(y + i, (load_as_float(padded) - s.zero_at(i, rest)) * s.scale_at(i, rest), rest);
      });
}

// Calls f(first element, length, scales) per task.
template <typename F>
NARAE_INLINE void for_rows(const QuantizeArgs& a, int64_t begin, int64_t end, F f) {
  for (int64_t task = begin; task < end; task++) {
    if (a.inner == 1) {
      f(task * a.axis, a.axis, RowScale{a.scale, a.zero_point, a.axis > 1});
    } else {
      const int64_t at = task % a.axis;
      f(task * a.inner, a.inner, RowScale{a.scale + at, a.zero_point ? a.zero_point + at : nullptr, false});
    }
  }
}

void run_quantize(const QuantizeArgs& a, int64_t begin, int64_t end) {
  for_rows(a, begin, end, [&](int64_t first, int64_t n, const RowScale& s) {
    quantize_row(static_cast<const float*>(a.x) + first, static_cast<uint8_t*>(a.y) + first, n, s,
                 a.type == ScalarType::i8);
  });
}

void run_dequantize(const QuantizeArgs& a, int64_t begin, int64_t end) {
  for_rows(a, begin, end, [&](int64_t first, int64_t n, const RowScale& s) {
    float* y = static_cast<float*>(a.y) + first;
    if (a.type == ScalarType::u8)
      dequantize_row(static_cast<const uint8_t*>(a.x) + first, y, n, s);
    else if (a.type == ScalarType::i8)
      dequantize_row(static_cast<const int8_t*>(a.x) + first, y, n, s);
    else
      dequantize_row(static_cast<const int32_t*>(a.x) + first, y, n, s);
  });
}

constexpr QuantizeKernels quantize_here() { return {run_quantize, run_dequantize}; }

}  // namespace
}  // namespace narae::cpu
