// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/places.h"

#include <cstring>

namespace narae::cpu {
namespace {

int64_t index_at(const void* index, bool wide, int64_t i) {
  return wide ? static_cast<const int64_t*>(index)[i] : static_cast<const int32_t*>(index)[i];
}

template <typename Visit>
void visit_bytes(int bytes, Visit visit) {
  if (bytes == 1) return visit(uint8_t{});
  if (bytes == 2) return visit(uint16_t{});
  if (bytes == 4) return visit(uint32_t{});
  visit(uint64_t{});
}

// Scatter: from rows to places, else from places to rows.
template <typename T, bool scatter>
bool element_row(const GatherElementsArgs& a, int64_t row) {
  const int last = a.rank - 1;
  int64_t rest = row, base = 0;
  for (int d = last; d-- > 0; rest /= a.dims[d]) {
    if (d != a.axis) base += rest % a.dims[d] * a.in_strides[d];
  }
  const int64_t count = a.dims[last], step = last == a.axis ? 0 : a.in_strides[last];
  const T* in = static_cast<const T*>(a.in) + (scatter ? row * count : base);
  T* out = static_cast<T*>(a.out) + (scatter ? base : row * count);
  bool inside = true;
  for (int64_t j = 0; j < count; ++j) {
    int64_t at = index_at(a.index, a.wide_index, row * count + j);
    if (at < 0) at += a.extent;
    if (at < 0 || at >= a.extent) {
      inside = false;
      continue;
    }
    const int64_t place = j * step + at * a.in_strides[a.axis];
    out[scatter ? place : j] = in[scatter ? j : place];
  }
  return inside;
}

template <bool scatter>
bool element_rows(const GatherElementsArgs& a, int64_t begin, int64_t end) {
  bool inside = true;
  visit_bytes(a.element_bytes, [&](auto tag) {
    for (int64_t row = begin; row < end; ++row) inside = element_row<decltype(tag), scatter>(a, row) && inside;
  });
  return inside;
}

template <bool scatter>
bool slices(const GatherNdArgs& a, int64_t begin, int64_t end) {
  bool all_inside = true;
  for (int64_t row = begin; row < end; ++row) {
    int64_t offset = row / a.rows_per_batch * a.batch_bytes;
    bool inside = true;
    for (int k = 0; k < a.depth; ++k) {
      int64_t at = index_at(a.index, a.wide_index, row * a.depth + k);
      if (at < 0) at += a.extents[k];
      inside = inside && at >= 0 && at < a.extents[k];
      if (inside) offset += at * a.strides[k];
    }
    all_inside = all_inside && inside;
    if (!inside) continue;
    const int64_t from = scatter ? row * a.slice_bytes : offset, to = scatter ? offset : row * a.slice_bytes;
    std::memcpy(static_cast<char*>(a.out) + to, static_cast<const char*>(a.in) + from,
                static_cast<size_t>(a.slice_bytes));
  }
  return all_inside;
}

}  // namespace

int64_t gather_elements_tasks(const GatherElementsArgs& a) {
  int64_t tasks = 1;
  for (int d = 0; d + 1 < a.rank; ++d) tasks *= a.dims[d];
  return a.dims[a.rank - 1] == 0 ? 0 : tasks;
}

bool gather_elements_run(const GatherElementsArgs& a, int64_t begin, int64_t end) {
  return element_rows<false>(a, begin, end);
}
bool scatter_elements_run(const GatherElementsArgs& a, int64_t begin, int64_t end) {
  return element_rows<true>(a, begin, end);
}
bool gather_nd_run(const GatherNdArgs& a, int64_t begin, int64_t end) { return slices<false>(a, begin, end); }
bool scatter_nd_run(const GatherNdArgs& a, int64_t begin, int64_t end) { return slices<true>(a, begin, end); }

void one_hot_run(const OneHotArgs& a, int64_t begin, int64_t end) {
  visit_bytes(a.element_bytes, [&](auto tag) {
    using T = decltype(tag);
    const T off = static_cast<const T*>(a.values)[0], on = static_cast<const T*>(a.values)[1];
    for (int64_t task = begin; task < end; ++task) {
      const int64_t outer = task / a.depth, place = task % a.depth;
      T* out = static_cast<T*>(a.out) + task * a.inner;
      for (int64_t j = 0; j < a.inner; ++j) {
        const int64_t which = index_at(a.index, a.wide_index, outer * a.inner + j);
        out[j] = (which < 0 ? which + a.depth : which) == place ? on : off;
      }
    }
  });
}

}  // namespace narae::cpu
