// SPDX-License-Identifier: Apache-2.0
#include "ops/fill.h"

#include "ops/cast.h"
#include "ops/contents.h"
#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer_fill(InferContext& c) {
  const auto& a = c.attributes<FillAttributes>();
  c.set_output(0, a.dtype, a.shape);
  size_t count;
  if (is_float(a.dtype) || !countable(a.shape, count)) return;
  const int64_t value = a.dtype == DType::boolean ? a.value != 0.0 : saturate_to_integer(std::trunc(a.value), a.dtype);
  c.set_contents(0, std::vector<Dim>(count, Dim(value)));
}

void reference_fill(ReferenceContext& c) {
  const double value = c.attributes<FillAttributes>().value;
  const Tensor& y = c.outputs[0];
  const int64_t count = y.count();
  const int64_t whole = is_integer(y.dtype) ? saturate_to_integer(std::trunc(value), y.dtype) : 0;
  for (int64_t i = 0; i < count; ++i) {
    if (is_integer(y.dtype)) {
      set_integer(y, i, whole);
    } else {
      set_element(y, i, value);
    }
  }
}

int64_t float_count(const RangeAttributes& a) {
  if (a.float_delta == 0.0) fail(ErrorCode::bad_file, "a step of 0");
  const double count = std::ceil((a.float_limit - a.float_start) / a.float_delta);
  if (!(count < 1e12)) fail(ErrorCode::bad_file, "a range of {} elements", count);
  return static_cast<int64_t>(std::max(0.0, count));
}

Dim integer_count(const RangeAttributes& a) {
  if (a.delta.low() > 0) return max(Dim(0), ceildiv(a.limit - a.start, a.delta));
  if (a.delta.high() < 0) return max(Dim(0), ceildiv(a.start - a.limit, Dim(0) - a.delta));
  fail(ErrorCode::bad_file, "the sign of the step {} is not known", a.delta.text());
}

void infer_range(InferContext& c) {
  const auto& a = c.attributes<RangeAttributes>();
  if (is_float(a.dtype)) return c.set_output(0, a.dtype, {Dim(float_count(a))});
  const Dim size = integer_count(a);
  c.set_output(0, a.dtype, {size});
  size_t count;
  if (!countable({size}, count)) return;
  std::vector<Dim> contents;
  for (size_t i = 0; i < count; ++i) contents.push_back(a.start + a.delta * Dim(static_cast<int64_t>(i)));
  c.set_contents(0, std::move(contents));
}

void reference_range(ReferenceContext& c) {
  const auto& a = c.attributes<RangeAttributes>();
  const Tensor& y = c.outputs[0];
  const int64_t count = y.count();
  if (is_float(a.dtype)) {
    for (int64_t i = 0; i < count; ++i) set_element(y, i, a.float_start + static_cast<double>(i) * a.float_delta);
    return;
  }
  const auto start = static_cast<uint64_t>(c.evaluate(a.start)), delta = static_cast<uint64_t>(c.evaluate(a.delta));
  for (int64_t i = 0; i < count; ++i) set_integer(y, i, static_cast<int64_t>(start + static_cast<uint64_t>(i) * delta));
}

}  // namespace

const OpDef* fill_op() {
  static const OpDef def = define_op<FillAttributes>("fill", 0, 0, op_shape_only, infer_fill, reference_fill);
  return &def;
}
const OpDef* range_op() {
  static const OpDef def = define_op<RangeAttributes>("range", 0, 0, op_shape_only, infer_range, reference_range);
  return &def;
}

}  // namespace narae
