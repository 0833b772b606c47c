// SPDX-License-Identifier: Apache-2.0
// Padding by mapping output indices to input ones, a whole row at a time.
#include "kernels/cpu/pad.h"

#include <algorithm>
#include <cstring>

namespace narae::cpu {
namespace {

// Where output index o of an axis comes from; -1: nowhere (constant).
int64_t source(PadMode mode, int64_t o, int64_t before, int64_t extent) {
  int64_t i = o - before;
  if (i >= 0 && i < extent) return i;
  switch (mode) {
    case PadMode::constant: return -1;
    case PadMode::edge: return std::clamp<int64_t>(i, 0, extent - 1);
    case PadMode::reflect: {
      if (extent == 1) return 0;
      const int64_t period = 2 * (extent - 1);
      i = ((i % period) + period) % period;
      return i < extent ? i : period - i;
    }
    case PadMode::wrap: return ((i % extent) + extent) % extent;
  }
  return -1;
}

void fill(uint8_t* out, const void* value, int64_t bytes, int64_t n) {
  if (bytes == 1) {
    std::memset(out, *static_cast<const uint8_t*>(value), static_cast<size_t>(n));
    return;
  }
  for (int64_t i = 0; i < n; i++) std::memcpy(out + i * bytes, value, static_cast<size_t>(bytes));
}

void pad_row(const PadPlan& plan, const uint8_t* in, uint8_t* out, const void* value) {
  const int d = plan.rank - 1;
  const int64_t chunk = plan.inner * plan.element_bytes;
  // [first, last): outputs that are copied as they are.
  const int64_t first = std::clamp<int64_t>(plan.before[d], 0, plan.out[d]);
  const int64_t last = std::clamp<int64_t>(plan.before[d] + plan.in[d], first, plan.out[d]);
  auto edge = [&](int64_t begin, int64_t end) {
    if (plan.mode == PadMode::constant)
      return fill(out + begin * chunk, value, plan.element_bytes, (end - begin) * plan.inner);
    for (int64_t o = begin; o < end; o++)
      std::memcpy(out + o * chunk, in + source(plan.mode, o, plan.before[d], plan.in[d]) * chunk,
                  static_cast<size_t>(chunk));
  };
  edge(0, first);
  if (last > first)
    std::memcpy(out + first * chunk, in + (first - plan.before[d]) * chunk,
                static_cast<size_t>((last - first) * chunk));
  edge(last, plan.out[d]);
}

}  // namespace

PadPlan make_pad_plan(const std::vector<int64_t>& in_dims, const std::vector<int64_t>& before,
                      const std::vector<int64_t>& after, PadMode mode, int64_t element_bytes) {
  PadPlan plan;
  plan.mode = mode;
  plan.element_bytes = element_bytes;
  int last = static_cast<int>(in_dims.size()) - 1;
  while (last > 0 && before[last] == 0 && after[last] == 0) plan.inner *= in_dims[last--];
  bool merge = false;  // the dim before was not padded, and so neither is this
  for (int d = 0; d <= last; d++) {
    const bool padded = before[d] != 0 || after[d] != 0 || d == last;
    if (padded && mode == PadMode::reflect && std::max(before[d], after[d]) >= in_dims[d] &&
        (before[d] > 0 || after[d] > 0))
      plan.error = "reflection reaches past the other end of a dim";
    if (padded && mode != PadMode::constant && in_dims[d] == 0) plan.error = "an empty dim has no values to pad with";
    if (!padded && merge) {
      plan.in[plan.rank - 1] *= in_dims[d], plan.out[plan.rank - 1] *= in_dims[d];
    } else if (plan.rank == max_pad_dims) {
      plan.error = "more than 8 padded dims";
    } else {
      plan.in[plan.rank] = in_dims[d], plan.out[plan.rank] = in_dims[d] + before[d] + after[d],
      plan.before[plan.rank] = before[d];
      plan.rank++;
    }
    merge = !padded;
  }
  if (in_dims.empty()) plan.rank = 1, plan.in[0] = plan.out[0] = 1;
  if (plan.error) return plan;
  int64_t stride = plan.inner;
  plan.tasks = 1;
  for (int d = plan.rank; d-- > 0; stride *= plan.in[d]) {
    plan.in_stride[d] = stride;
    if (d < plan.rank - 1) plan.tasks *= plan.out[d];
    if (plan.out[d] <= 0) plan.tasks = 0;
  }
  if (plan.inner == 0) plan.tasks = 0;
  for (int d = 0; d < plan.rank; d++)
    if (plan.out[d] <= 0) plan.tasks = 0;
  return plan;
}

void pad_run(const PadPlan& plan, const void* in, void* out, const void* value, int64_t task_begin, int64_t task_end) {
  const int row = plan.rank - 1;
  const int64_t row_elements = plan.out[row] * plan.inner;
  for (int64_t task = task_begin; task < task_end; task++) {
    int64_t rest = task, offset = 0;
    bool outside = false;
    for (int d = row; d-- > 0; rest /= plan.out[d]) {
      const int64_t i = source(plan.mode, rest % plan.out[d], plan.before[d], plan.in[d]);
      outside |= i < 0;
      offset += i * plan.in_stride[d];
    }
    uint8_t* target = static_cast<uint8_t*>(out) + task * row_elements * plan.element_bytes;
    if (outside)
      fill(target, value, plan.element_bytes, row_elements);
    else
      pad_row(plan, static_cast<const uint8_t*>(in) + offset * plan.element_bytes, target, value);
  }
}

bool gather_run(const GatherArgs& a, int64_t task_begin, int64_t task_end) {
  bool ok = true;
  for (int64_t task = task_begin; task < task_end; task++) {
    const int64_t o = task / a.count, i = task % a.count;
    int64_t index = a.wide_index ? static_cast<const int64_t*>(a.index)[i] : static_cast<const int32_t*>(a.index)[i];
    if (index < 0) index += a.extent;
    if (index < 0 || index >= a.extent) {
      ok = false;
      continue;
    }
    std::memcpy(static_cast<uint8_t*>(a.out) + task * a.slice_bytes,
                static_cast<const uint8_t*>(a.in) + (o * a.extent + index) * a.slice_bytes,
                static_cast<size_t>(a.slice_bytes));
  }
  return ok;
}

}  // namespace narae::cpu
