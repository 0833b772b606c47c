// SPDX-License-Identifier: Apache-2.0
#include "ops/lp_norm.h"

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"
#include "ops/reduce.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const auto& a = c.attributes<LpNormAttributes>();
  if (a.axis < 0 || a.axis >= static_cast<int64_t>(c.shape(0).size())) {
    fail(ErrorCode::bad_file, "axis {} of an operand {}", a.axis, shape_text(c.shape(0)));
  }
  if (a.p != 1 && a.p != 2) fail(ErrorCode::bad_file, "p is {}; it must be 1 or 2", a.p);
  if (!is_float(c.dtype(0))) fail(ErrorCode::bad_file, "the operand is {}, not a float", dtype_name(c.dtype(0)));
  c.set_output(0, c.dtype(0), c.shape(0));
}

void reference(ReferenceContext& c) {
  const auto& a = c.attributes<LpNormAttributes>();
  const AxisSplit split(c.inputs[0].dims, a.axis, a.axis + 1);
  std::vector<double> values = read_elements(c.inputs[0]);
  for (int64_t row = 0; row < split.outer * split.inner; ++row) {
    double* at = values.data() + row / split.inner * split.size * split.inner + row % split.inner;
    double sum = 0;
    for (int64_t i = 0; i < split.size; ++i) {
      const double value = std::fabs(at[i * split.inner]);
      sum += a.p == 1 ? value : value * value;
    }
    const double norm = a.p == 1 ? sum : std::sqrt(sum);
    for (int64_t i = 0; norm != 0 && i < split.size; ++i) at[i * split.inner] /= norm;
  }
  write_elements(c.outputs[0], values);
}

std::vector<Value*> decompose(Builder& b, const Node& node) {
  Value* x = node.input(0);
  const auto& a = node.attributes<LpNormAttributes>();
  if (x->dtype() != DType::f32) return {};
  Value* norm = b.op(a.p == 1 ? "reduce_l1" : "reduce_l2", {x}, ReduceAttributes{{a.axis}, true});
  Value* divisor = b.op("select", {b.op("eq", {norm, b.scalar(0)}), b.scalar(1), norm});
  return {b.op("div", {x, divisor})};
}

}  // namespace

const OpDef* lp_norm_op() {
  static const OpDef def = [] {
    OpDef made = define_op<LpNormAttributes>("lp_norm", 1, 1, op_row_reduction | op_composite, infer, reference);
    made.decompose = decompose;
    return made;
  }();
  return &def;
}

}  // namespace narae
