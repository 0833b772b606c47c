// SPDX-License-Identifier: Apache-2.0
#include "ops/transpose.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const auto& perm = c.attributes<TransposeAttributes>().perm;
  const Shape& shape = c.shape(0);
  if (perm.size() != shape.size())
    fail(ErrorCode::bad_file, "perm has {} axes, the operand {}", perm.size(), shape.size());
  Shape result;
  std::vector<bool> seen(perm.size(), false);
  for (const int64_t axis : perm) {
    if (axis < 0 || axis >= static_cast<int64_t>(perm.size()) || seen[static_cast<size_t>(axis)]) {
      fail(ErrorCode::bad_file, "perm is not a permutation");
    }
    seen[static_cast<size_t>(axis)] = true;
    result.push_back(shape[static_cast<size_t>(axis)]);
  }
  c.set_output(0, c.dtype(0), std::move(result));
}

void reference(ReferenceContext& c) {
  const auto& perm = c.attributes<TransposeAttributes>().perm;
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const Dims strides = row_strides(x.dims);
  Dims permuted;
  for (const int64_t axis : perm) permuted.push_back(strides[static_cast<size_t>(axis)]);
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_index(y.dims, [&](const Dims& index, int64_t i) { y.as<T>()[i] = x.as<T>()[offset_of(index, permuted)]; });
  });
}

}  // namespace

const OpDef* transpose_op() {
  static const OpDef def = define_op<TransposeAttributes>("transpose", 1, 1, 0, infer, reference);
  return &def;
}

}  // namespace narae
