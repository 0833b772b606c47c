// SPDX-License-Identifier: Apache-2.0
#include "ops/concat.h"

#include "ops/contents.h"
#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  Shape shape = c.shape(0);
  const auto axis =
      static_cast<size_t>(normal_axis(c.attributes<ConcatAttributes>().axis, static_cast<int64_t>(shape.size())));
  for (size_t i = 1; i < c.input_count(); ++i) {
    const Shape& other = c.shape(i);
    if (c.dtype(i) != c.dtype(0) || other.size() != shape.size()) {
      fail(ErrorCode::bad_file, "operand {} is {}{}, operand 0 {}{}", i, dtype_name(c.dtype(i)), shape_text(other),
           dtype_name(c.dtype(0)), shape_text(c.shape(0)));
    }
    for (size_t k = 0; k < shape.size(); ++k) {
      if (k == axis) {
        shape[k] = shape[k] + other[k];
        continue;
      }
      c.require_equal(shape[k], other[k], fmt::format("axis {} of operands 0 and {}", k, i));
      if (other[k].is_constant()) shape[k] = other[k];
    }
  }
  c.set_output(0, c.dtype(0), std::move(shape));
  std::vector<Dim> contents;
  for (size_t i = 0; i < c.input_count(); ++i) {
    const auto* part = c.contents(i);
    if (!part) return;
    contents.insert(contents.end(), part->begin(), part->end());
  }
  if (contents.size() <= contents_limit) c.set_contents(0, std::move(contents));
}

void reference(ReferenceContext& c) {
  const Tensor& y = c.outputs[0];
  const auto axis =
      static_cast<size_t>(normal_axis(c.attributes<ConcatAttributes>().axis, static_cast<int64_t>(y.dims.size())));
  const int64_t outer = element_count(Dims(y.dims.begin(), y.dims.begin() + static_cast<int64_t>(axis)));
  const size_t row = outer ? y.bytes() / static_cast<size_t>(outer) : 0;
  size_t at = 0;
  for (const Tensor& x : c.inputs) {
    const size_t part = outer ? x.bytes() / static_cast<size_t>(outer) : 0;
    for (size_t i = 0; part && i < static_cast<size_t>(outer); ++i) {
      std::memcpy(y.as<char>() + i * row + at, x.as<char>() + i * part, part);
    }
    at += part;
  }
}

}  // namespace

const OpDef* concat_op() {
  static const OpDef def = define_op<ConcatAttributes>("concat", 1, -1, 0, infer, reference);
  return &def;
}

}  // namespace narae
