// SPDX-License-Identifier: Apache-2.0
#include "ops/trilu.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer_trilu(InferContext& c) {
  if (c.shape(0).size() < 2) fail(ErrorCode::bad_file, "an operand of rank {}, not a matrix", c.shape(0).size());
  c.set_output(0, c.dtype(0), c.shape(0));
}

void reference_trilu(ReferenceContext& c) {
  const auto& a = c.attributes<TriluAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const int64_t rows = x.dims[x.dims.size() - 2], columns = x.dims.back();
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    const int64_t count = x.count();
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = i / columns % rows, column = i % columns;
      const bool stays = a.upper ? column - row >= a.k : column - row <= a.k;
      y.as<T>()[i] = stays ? x.as<T>()[i] : T{};
    }
  });
}

void infer_eye(InferContext& c) {
  if (c.shape(0).size() != 2) fail(ErrorCode::bad_file, "an operand of rank {}, not a matrix", c.shape(0).size());
  c.set_output(0, c.attributes<EyeLikeAttributes>().dtype, c.shape(0));
}

void reference_eye(ReferenceContext& c) {
  const int64_t k = c.attributes<EyeLikeAttributes>().k;
  const Tensor& y = c.outputs[0];
  for_each_index(y.dims,
                 [&](const Dims& index, int64_t i) { set_element(y, i, index[1] - index[0] == k ? 1.0 : 0.0); });
}

}  // namespace

const OpDef* trilu_op() {
  static const OpDef def = define_op<TriluAttributes>("trilu", 1, 1, 0, infer_trilu, reference_trilu);
  return &def;
}
const OpDef* eye_like_op() {
  static const OpDef def = define_op<EyeLikeAttributes>("eye_like", 1, 1, op_shape_only, infer_eye, reference_eye);
  return &def;
}

}  // namespace narae
