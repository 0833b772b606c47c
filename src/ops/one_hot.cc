// SPDX-License-Identifier: Apache-2.0
#include "ops/one_hot.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const auto& a = c.attributes<OneHotAttributes>();
  c.require_equal(element_count(c.shape(1)), Dim(2), "the values are off and on");
  Shape shape = c.shape(0);
  const int64_t axis = normal_axis(a.axis, static_cast<int64_t>(shape.size()) + 1);
  shape.insert(shape.begin() + axis, a.depth);
  c.set_output(0, c.dtype(1), std::move(shape));
}

void reference(ReferenceContext& c) {
  const auto& a = c.attributes<OneHotAttributes>();
  const Tensor &indices = c.inputs[0], &values = c.inputs[1], &y = c.outputs[0];
  const auto axis = static_cast<size_t>(normal_axis(a.axis, static_cast<int64_t>(y.dims.size())));
  const int64_t depth = y.dims[axis];
  Dims strides = row_strides(indices.dims);
  strides.insert(strides.begin() + static_cast<int64_t>(axis), 0);
  visit_storage(y.dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_index(y.dims, [&](const Dims& index, int64_t i) {
      const int64_t which = element_as_int(indices, offset_of(index, strides));
      const bool on = (which < 0 ? which + depth : which) == index[axis];
      y.as<T>()[i] = values.as<T>()[on];
    });
  });
}

}  // namespace

const OpDef* one_hot_op() {
  static const OpDef def = define_op<OneHotAttributes>("one_hot", 2, 2, 0, infer, reference);
  return &def;
}

}  // namespace narae
