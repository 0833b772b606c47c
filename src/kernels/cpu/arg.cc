// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/arg.h"

#include <algorithm>
#include <numeric>

namespace narae::cpu {
namespace {

constexpr int64_t width = 64;  // lines side by side

// x != x tells NaN; never true of integers.
template <typename T>
bool above(T a, T b) {
  return a > b || (a != a && b == b);
}

template <typename T>
void arg_lines(const ArgShape& s, const T* in, int64_t* out, int64_t lines) {
  T best[width];
  for (int64_t j = 0; j < lines; ++j) best[j] = in[j], out[j] = 0;
  for (int64_t i = 1; i < s.size; ++i) {
    const T* row = in + i * s.inner;
    for (int64_t j = 0; j < lines; ++j) {
      const bool better = s.largest ? above(row[j], best[j]) : above(best[j], row[j]);
      const bool worse = s.largest ? above(best[j], row[j]) : above(row[j], best[j]);
      if (better || (s.last && !worse)) best[j] = row[j], out[j] = i;
    }
  }
}

template <typename T>
void topk_line(const ArgShape& s, const T* in, T* values, int64_t* places, int64_t* order) {
  std::iota(order, order + s.size, int64_t{0});
  std::partial_sort(order, order + s.k, order + s.size, [&](int64_t i, int64_t j) {
    const T a = in[i * s.inner], b = in[j * s.inner];
    if (s.largest ? above(a, b) : above(b, a)) return true;
    if (s.largest ? above(b, a) : above(a, b)) return false;
    return i < j;
  });
  for (int64_t i = 0; i < s.k; ++i) {
    values[i * s.inner] = in[order[i] * s.inner];
    places[i * s.inner] = order[i];
  }
}

// visit(T{}) for the element type; false for those that are not taken.
template <typename Visit>
bool visit_type(DType dtype, Visit visit) {
  switch (dtype) {
    case DType::f32: visit(float{}); return true;
    case DType::f64: visit(double{}); return true;
    case DType::i8: visit(int8_t{}); return true;
    case DType::u8: visit(uint8_t{}); return true;
    case DType::i32: visit(int32_t{}); return true;
    case DType::i64: visit(int64_t{}); return true;
    case DType::u64: visit(uint64_t{}); return true;
    default: return false;
  }
}

int64_t blocks(const ArgShape& s) { return (s.inner + width - 1) / width; }

}  // namespace

bool arg_takes(DType dtype) {
  return visit_type(dtype, [](auto) {});
}

int64_t arg_tasks(const ArgShape& s) { return s.outer * blocks(s); }

void arg_run(const ArgShape& s, const void* in, int64_t* out, int64_t begin, int64_t end) {
  visit_type(s.dtype, [&](auto tag) {
    using T = decltype(tag);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t outer = task / blocks(s), first = task % blocks(s) * width;
      arg_lines(s, static_cast<const T*>(in) + outer * s.size * s.inner + first, out + outer * s.inner + first,
                std::min(width, s.inner - first));
    }
  });
}

void topk_run(const ArgShape& s, const void* in, void* values, int64_t* places, int64_t* scratch, int64_t begin,
              int64_t end) {
  visit_type(s.dtype, [&](auto tag) {
    using T = decltype(tag);
    for (int64_t line = begin; line < end; ++line) {
      const int64_t outer = line / s.inner, inner = line % s.inner;
      const int64_t to = outer * s.k * s.inner + inner;
      topk_line(s, static_cast<const T*>(in) + outer * s.size * s.inner + inner, static_cast<T*>(values) + to,
                places + to, scratch);
    }
  });
}

}  // namespace narae::cpu
