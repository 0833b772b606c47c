// SPDX-License-Identifier: Apache-2.0
#include "ops/topk.h"

#include <numeric>

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"

namespace narae {
namespace {

// Whether element i stands above element j.
bool above(const Tensor& x, int64_t i, int64_t j) {
  if (is_float(x.dtype)) {
    const double a = element_as_double(x, i), b = element_as_double(x, j);
    return a > b || (std::isnan(a) && !std::isnan(b));
  }
  const int64_t a = element_as_int(x, i), b = element_as_int(x, j);
  return x.dtype == DType::u64 ? static_cast<uint64_t>(a) > static_cast<uint64_t>(b) : a > b;
}

void infer_topk(InferContext& c) {
  const auto& a = c.attributes<TopkAttributes>();
  Shape shape = c.shape(0);
  const auto axis = static_cast<size_t>(normal_axis(a.axis, static_cast<int64_t>(shape.size())));
  c.require_equal(max(a.k, shape[axis]), shape[axis], "k within the axis");
  shape[axis] = a.k;
  c.set_output(0, c.dtype(0), shape);
  c.set_output(1, DType::i64, std::move(shape));
}

void reference_topk(ReferenceContext& c) {
  const auto& a = c.attributes<TopkAttributes>();
  const Tensor &x = c.inputs[0], &values = c.outputs[0], &places = c.outputs[1];
  const int64_t axis = normal_axis(a.axis, static_cast<int64_t>(x.dims.size()));
  const AxisSplit split(x.dims, axis, axis + 1);
  const int64_t k = values.dims[static_cast<size_t>(axis)];
  std::vector<int64_t> order(static_cast<size_t>(split.size));
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    for (int64_t line = 0; line < split.outer * split.inner; ++line) {
      const int64_t outer = line / split.inner, inner = line % split.inner;
      auto at = [&](int64_t i) { return (outer * split.size + i) * split.inner + inner; };
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
        return a.largest ? above(x, at(i), at(j)) : above(x, at(j), at(i));
      });
      for (int64_t i = 0; i < k; ++i) {
        const int64_t to = (outer * k + i) * split.inner + inner, from = order[static_cast<size_t>(i)];
        values.as<T>()[to] = x.as<T>()[at(from)];
        places.as<int64_t>()[to] = from;
      }
    }
  });
}

void infer_arg(InferContext& c) {
  const auto& a = c.attributes<ArgAttributes>();
  Shape shape = c.shape(0);
  const int64_t axis = normal_axis(a.axis, static_cast<int64_t>(shape.size()));
  if (shape[static_cast<size_t>(axis)].high() == 0) fail(ErrorCode::bad_file, "axis {} is empty", axis);
  if (a.keepdims) {
    shape[static_cast<size_t>(axis)] = Dim(1);
  } else {
    shape.erase(shape.begin() + axis);
  }
  c.set_output(0, DType::i64, std::move(shape));
}

template <bool largest>
void reference_arg(ReferenceContext& c) {
  const auto& a = c.attributes<ArgAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const int64_t axis = normal_axis(a.axis, static_cast<int64_t>(x.dims.size()));
  const AxisSplit split(x.dims, axis, axis + 1);
  if (split.size == 0 && y.count() > 0) fail(ErrorCode::does_not_fit, "an empty axis has no largest element");
  for (int64_t line = 0; line < split.outer * split.inner; ++line) {
    const int64_t base = line / split.inner * split.size * split.inner + line % split.inner;
    int64_t best = 0;
    for (int64_t i = 1; i < split.size; ++i) {
      const int64_t at = base + i * split.inner, held = base + best * split.inner;
      const bool better = largest ? above(x, at, held) : above(x, held, at);
      const bool worse = largest ? above(x, held, at) : above(x, at, held);
      if (better || (a.select_last_index && !worse)) best = i;
    }
    y.as<int64_t>()[line] = best;
  }
}

}  // namespace

const OpDef* topk_op() {
  static const OpDef def = define_op<TopkAttributes>("topk", 1, 1, 0, infer_topk, reference_topk);
  return &def;
}
const OpDef* arg_max_op() {
  static const OpDef def = define_op<ArgAttributes>("arg_max", 1, 1, 0, infer_arg, reference_arg<true>);
  return &def;
}
const OpDef* arg_min_op() {
  static const OpDef def = define_op<ArgAttributes>("arg_min", 1, 1, 0, infer_arg, reference_arg<false>);
  return &def;
}

}  // namespace narae
