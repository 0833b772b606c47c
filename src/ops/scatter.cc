// SPDX-License-Identifier: Apache-2.0
#include "ops/scatter.h"

#include "ops/cast.h"
#include "ops/define.h"
#include "ops/indices.h"
#include "ops/ops.h"

namespace narae {
namespace {

enum class Reduction { none, add, mul, min, max };
Reduction reduction_of(const std::string& name) {
  if (name == "none") return Reduction::none;
  if (name == "add") return Reduction::add;
  if (name == "mul") return Reduction::mul;
  if (name == "min") return Reduction::min;
  if (name == "max") return Reduction::max;
  fail(ErrorCode::bad_file, "unknown reduction \"{}\"", name);
}

template <typename T>
T reduced(Reduction reduction, T a, T b) {
  switch (reduction) {
    case Reduction::none: return b;
    case Reduction::add: return a + b;
    case Reduction::mul: return a * b;
    case Reduction::min: return b < a ? b : a;
    case Reduction::max: return a < b ? b : a;
  }
  return b;
}

// y[at] = y[at] (reduction) updates[i]
void apply(Reduction reduction, const Tensor& y, int64_t at, const Tensor& updates, int64_t i) {
  if (is_float(y.dtype)) {
    set_element(y, at, reduced(reduction, element_as_double(y, at), element_as_double(updates, i)));
  } else if (y.dtype == DType::u64 || reduction == Reduction::add || reduction == Reduction::mul) {
    const auto a = static_cast<uint64_t>(element_as_int(y, at)), b = static_cast<uint64_t>(element_as_int(updates, i));
    set_integer(y, at, static_cast<int64_t>(reduced(reduction, a, b)));
  } else {
    set_integer(y, at, reduced(reduction, element_as_int(y, at), element_as_int(updates, i)));
  }
}

void check_updates(InferContext& c, const Shape& wanted) {
  if (c.dtype(2) != c.dtype(0)) {
    fail(ErrorCode::bad_file, "the updates are {}, the operand {}", dtype_name(c.dtype(2)), dtype_name(c.dtype(0)));
  }
  const Shape& updates = c.shape(2);
  if (updates.size() != wanted.size()) {
    fail(ErrorCode::bad_file, "updates of shape {} instead of {}", shape_text(updates), shape_text(wanted));
  }
  for (size_t i = 0; i < wanted.size(); ++i) c.require_equal(updates[i], wanted[i], "sizes of the updates");
}

void infer_elements(InferContext& c) {
  const auto& a = c.attributes<ScatterElementsAttributes>();
  check_index_type(c, 1);
  reduction_of(a.reduction);
  normal_axis(a.axis, static_cast<int64_t>(c.shape(0).size()));
  if (c.shape(1).size() != c.shape(0).size()) {
    fail(ErrorCode::bad_file, "indices of rank {} for an operand of rank {}", c.shape(1).size(), c.shape(0).size());
  }
  check_updates(c, c.shape(1));
  c.set_output(0, c.dtype(0), c.shape(0));
}

void reference_elements(ReferenceContext& c) {
  const auto& a = c.attributes<ScatterElementsAttributes>();
  const Tensor &x = c.inputs[0], &indices = c.inputs[1], &updates = c.inputs[2], &y = c.outputs[0];
  const auto axis = static_cast<size_t>(normal_axis(a.axis, static_cast<int64_t>(x.dims.size())));
  const Reduction reduction = reduction_of(a.reduction);
  check_inside(indices.dims, x.dims, axis, "scatter_elements");
  if (x.bytes()) std::memcpy(y.data, x.data, x.bytes());
  const Dims strides = row_strides(x.dims);
  for_each_index(indices.dims, [&](const Dims& index, int64_t i) {
    const int64_t at = checked_index(element_as_int(indices, i), x.dims[axis], "scatter_elements");
    apply(reduction, y, offset_of(index, strides) + (at - index[axis]) * strides[axis], updates, i);
  });
}

void infer_nd(InferContext& c) {
  check_index_type(c, 1);
  reduction_of(c.attributes<ScatterNdAttributes>().reduction);
  const Shape &x = c.shape(0), &indices = c.shape(1);
  if (indices.empty() || !indices.back().is_constant()) {
    fail(ErrorCode::bad_file, "indices of shape {}: the number of coordinates must be known", shape_text(indices));
  }
  const int64_t depth = indices.back().value();
  if (depth < 0 || depth > static_cast<int64_t>(x.size())) {
    fail(ErrorCode::bad_file, "{} coordinates, the operand has {} axes", depth, x.size());
  }
  Shape wanted(indices.begin(), indices.end() - 1);
  wanted.insert(wanted.end(), x.begin() + depth, x.end());
  check_updates(c, wanted);
  c.set_output(0, c.dtype(0), x);
}

void reference_nd(ReferenceContext& c) {
  const Reduction reduction = reduction_of(c.attributes<ScatterNdAttributes>().reduction);
  const Tensor &x = c.inputs[0], &indices = c.inputs[1], &updates = c.inputs[2], &y = c.outputs[0];
  if (x.bytes()) std::memcpy(y.data, x.data, x.bytes());
  const auto depth = static_cast<size_t>(indices.dims.back());
  const Dims strides = row_strides(x.dims);
  const int64_t rows = element_count(Dims(indices.dims.begin(), indices.dims.end() - 1));
  const int64_t slice = element_count(Dims(x.dims.begin() + static_cast<int64_t>(depth), x.dims.end()));
  for (int64_t row = 0; row < rows; ++row) {
    int64_t offset = 0;
    for (size_t k = 0; k < depth; ++k) {
      const int64_t index = element_as_int(indices, row * static_cast<int64_t>(depth) + static_cast<int64_t>(k));
      offset += checked_index(index, x.dims[k], "scatter_nd") * strides[k];
    }
    for (int64_t i = 0; i < slice; ++i) apply(reduction, y, offset + i, updates, row * slice + i);
  }
}

}  // namespace

const OpDef* scatter_elements_op() {
  static const OpDef def =
      define_op<ScatterElementsAttributes>("scatter_elements", 3, 3, 0, infer_elements, reference_elements);
  return &def;
}
const OpDef* scatter_nd_op() {
  static const OpDef def = define_op<ScatterNdAttributes>("scatter_nd", 3, 3, 0, infer_nd, reference_nd);
  return &def;
}

}  // namespace narae
