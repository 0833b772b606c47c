// SPDX-License-Identifier: Apache-2.0
#include "ops/gather.h"

#include "ops/contents.h"
#include "ops/define.h"
#include "ops/indices.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer_gather(InferContext& c) {
  check_index_type(c, 1);
  const Shape &x = c.shape(0), &indices = c.shape(1);
  const int64_t axis = normal_axis(c.attributes<GatherAttributes>().axis, static_cast<int64_t>(x.size()));
  Shape shape(x.begin(), x.begin() + axis);
  shape.insert(shape.end(), indices.begin(), indices.end());
  shape.insert(shape.end(), x.begin() + axis + 1, x.end());
  c.set_output(0, c.dtype(0), std::move(shape));
  const auto *contents = c.contents(0), *which = c.contents(1);
  if (!contents || !which || x.size() != 1 || indices.size() > 1 || !all_constant(*which)) return;
  std::vector<Dim> result;
  for (const Dim& index : *which) {
    result.push_back((*contents)[static_cast<size_t>(
        checked_index(index.value(), static_cast<int64_t>(contents->size()), "gather"))]);
  }
  c.set_contents(0, std::move(result));
}

void reference_gather(ReferenceContext& c) {
  const Tensor &x = c.inputs[0], &indices = c.inputs[1], &y = c.outputs[0];
  const auto axis =
      static_cast<size_t>(normal_axis(c.attributes<GatherAttributes>().axis, static_cast<int64_t>(x.dims.size())));
  const Dims strides = row_strides(x.dims);
  const int64_t outer = element_count(Dims(x.dims.begin(), x.dims.begin() + static_cast<int64_t>(axis)));
  const size_t slice = static_cast<size_t>(strides[axis]) * dtype_size(x.dtype);
  const int64_t count = indices.count();
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t at = checked_index(element_as_int(indices, i), x.dims[axis], "gather");
      if (!slice) continue;
      std::memcpy(y.as<char>() + static_cast<size_t>(o * count + i) * slice,
                  x.as<char>() + static_cast<size_t>(o * x.dims[axis] + at) * slice, slice);
    }
  }
}

void infer_elements(InferContext& c) {
  check_index_type(c, 1);
  const Shape &x = c.shape(0), &indices = c.shape(1);
  normal_axis(c.attributes<GatherAttributes>().axis, static_cast<int64_t>(x.size()));
  if (x.size() != indices.size()) {
    fail(ErrorCode::bad_file, "indices of rank {} for an operand of rank {}", indices.size(), x.size());
  }
  c.set_output(0, c.dtype(0), indices);
}

void reference_elements(ReferenceContext& c) {
  const Tensor &x = c.inputs[0], &indices = c.inputs[1], &y = c.outputs[0];
  const auto axis =
      static_cast<size_t>(normal_axis(c.attributes<GatherAttributes>().axis, static_cast<int64_t>(x.dims.size())));
  check_inside(indices.dims, x.dims, axis, "gather_elements");
  const Dims strides = row_strides(x.dims);
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_index(y.dims, [&](const Dims& index, int64_t i) {
      const int64_t at = checked_index(element_as_int(indices, i), x.dims[axis], "gather_elements");
      y.as<T>()[i] = x.as<T>()[offset_of(index, strides) + (at - index[axis]) * strides[axis]];
    });
  });
}

}  // namespace

const OpDef* gather_op() {
  static const OpDef def = define_op<GatherAttributes>("gather", 2, 2, 0, infer_gather, reference_gather);
  return &def;
}
const OpDef* gather_elements_op() {
  static const OpDef def = define_op<GatherAttributes>("gather_elements", 2, 2, 0, infer_elements, reference_elements);
  return &def;
}

}  // namespace narae
