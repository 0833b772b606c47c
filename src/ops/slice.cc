// SPDX-License-Identifier: Apache-2.0
#include "ops/slice.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {

namespace {

// `at` as a place counted from the front: negative ones gain `size`.
Dim from_front(const Dim& at, const Dim& size) {
  if (at.low() >= 0) return at;
  if (at.high() < 0) return at + size;
  return at + size * min(Dim(1), max(Dim(0), Dim(0) - at));
}
// The ends of i64 mean "to the end"; brought where sums with sizes cannot overflow, yet beyond any size.
Dim limited(const Dim& at) {
  return at.is_constant() ? Dim(std::clamp(at.value(), -4 * Dim::no_limit, 4 * Dim::no_limit)) : at;
}
Dim clamped(const Dim& at, const Dim& low, const Dim& high) { return max(low, min(at, high)); }

void check(const SliceAttributes& a) {
  if (a.starts.size() != a.axes.size() || a.ends.size() != a.axes.size() ||
      (!a.steps.empty() && a.steps.size() != a.axes.size())) {
    fail(ErrorCode::bad_file, "{} starts, {} ends and {} steps for {} axes", a.starts.size(), a.ends.size(),
         a.steps.size(), a.axes.size());
  }
}
int64_t step_of(const SliceAttributes& a, size_t i) { return a.steps.empty() ? 1 : a.steps[i]; }

void infer(InferContext& c) {
  const auto& a = c.attributes<SliceAttributes>();
  check(a);
  Shape shape = c.shape(0);
  std::vector<bool> seen(shape.size(), false);
  SliceRange range;
  for (size_t i = 0; i < a.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(normal_axis(a.axes[i], static_cast<int64_t>(shape.size())));
    if (seen[axis]) fail(ErrorCode::bad_file, "axis {} is sliced twice", axis);
    seen[axis] = true;
    range = slice_range(shape[axis], a.starts[i], a.ends[i], step_of(a, i));
    shape[axis] = range.count;
  }
  c.set_output(0, c.dtype(0), std::move(shape));
  const auto* contents = c.contents(0);
  if (!contents || c.shape(0).size() != 1) return;
  if (a.axes.empty()) return c.set_contents(0, *contents);
  if (!range.first.is_constant() || !range.count.is_constant()) return;
  std::vector<Dim> result;
  for (int64_t k = 0; k < range.count.value(); ++k) {
    result.push_back((*contents)[static_cast<size_t>(range.first.value() + k * step_of(a, 0))]);
  }
  c.set_contents(0, std::move(result));
}

void reference(ReferenceContext& c) {
  const auto& a = c.attributes<SliceAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  Dims strides = row_strides(x.dims);
  int64_t base = 0;
  for (size_t i = 0; i < a.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(normal_axis(a.axes[i], static_cast<int64_t>(x.dims.size())));
    const SliceRange range =
        slice_range(Dim(x.dims[axis]), Dim(c.evaluate(a.starts[i])), Dim(c.evaluate(a.ends[i])), step_of(a, i));
    base += range.first.value() * strides[axis];
    strides[axis] = range.count.value() > 1 ? strides[axis] * step_of(a, i) : 0;  // a single step may be of any size
  }
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_index(y.dims,
                   [&](const Dims& index, int64_t i) { y.as<T>()[i] = x.as<T>()[base + offset_of(index, strides)]; });
  });
}

}  // namespace

SliceRange slice_range(const Dim& size, const Dim& start, const Dim& end, int64_t step) {
  if (step == 0) fail(ErrorCode::bad_file, "a step of 0");
  const Dim from = from_front(limited(start), size), to = from_front(limited(end), size);
  if (step > 0) {
    const Dim first = clamped(from, Dim(0), size);
    return {first, max(Dim(0), ceildiv(clamped(to, Dim(0), size) - first, Dim(step)))};
  }
  const Dim last = size - Dim(1);
  const Dim first = clamped(from, Dim(0), last);
  // An empty axis has no last element: -1 - (-1) leaves nothing.
  const Dim stop = clamped(to, Dim(-1), last);
  return {first, max(Dim(0), min(size, ceildiv(first - stop, Dim(-std::max(step, -Dim::no_limit)))))};
}

const OpDef* slice_op() {
  static const OpDef def = define_op<SliceAttributes>("slice", 1, 1, 0, infer, reference);
  return &def;
}

}  // namespace narae
