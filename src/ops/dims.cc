// SPDX-License-Identifier: Apache-2.0
#include "ops/dims.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const auto& a = c.attributes<DimsAttributes>();
  if (a.scalar && a.values.size() != 1) fail(ErrorCode::bad_file, "a scalar has one value, not {}", a.values.size());
  c.set_output(0, a.dtype, a.scalar ? Shape{} : Shape{Dim(static_cast<int64_t>(a.values.size()))});
  c.set_contents(0, a.values);
}

void reference(ReferenceContext& c) {
  const auto& a = c.attributes<DimsAttributes>();
  for (size_t i = 0; i < a.values.size(); ++i) {
    const int64_t value = c.evaluate(a.values[i]);
    if (a.dtype == DType::i64) {
      c.outputs[0].as<int64_t>()[i] = value;
    } else {
      set_element(c.outputs[0], static_cast<int64_t>(i), static_cast<double>(value));
    }
  }
}

}  // namespace

const OpDef* dims_op() {
  static const OpDef def = define_op<DimsAttributes>("dims", 0, 0, op_shape_only, infer, reference);
  return &def;
}

}  // namespace narae
