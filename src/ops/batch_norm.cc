// SPDX-License-Identifier: Apache-2.0
#include "ops/batch_norm.h"

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"
#include "ops/reshape.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const Shape& x = c.shape(0);
  if (x.empty()) fail(ErrorCode::bad_file, "the operand is a scalar");
  const Dim channels = x.size() > 1 ? x[1] : Dim(1);
  for (size_t i = 0; i < 5; ++i) {
    if (!is_float(c.dtype(i))) fail(ErrorCode::bad_file, "operand {} is {}, not a float", i, dtype_name(c.dtype(i)));
    if (i == 0) continue;
    if (c.shape(i).size() != 1) fail(ErrorCode::bad_file, "operand {} is {}, not a vector", i, shape_text(c.shape(i)));
    c.require_equal(c.shape(i)[0], channels, "channels of batch_norm");
  }
  c.set_output(0, c.dtype(0), x);
}

void reference(ReferenceContext& c) {
  const double epsilon = c.attributes<BatchNormAttributes>().epsilon;
  std::vector<double> values = read_elements(c.inputs[0]);
  const std::vector<double> scale = read_elements(c.inputs[1]), bias = read_elements(c.inputs[2]);
  const std::vector<double> mean = read_elements(c.inputs[3]), variance = read_elements(c.inputs[4]);
  const AxisSplit split(c.inputs[0].dims, 1, 2);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto channel = static_cast<size_t>(static_cast<int64_t>(i) / split.inner % split.size);
    values[i] = (values[i] - mean[channel]) / std::sqrt(variance[channel] + epsilon) * scale[channel] + bias[channel];
  }
  write_elements(c.outputs[0], values);
}

// x * s + t, where s = scale * rsqrt(variance + epsilon) and t = bias - mean * s come from constants as a rule.
std::vector<Value*> decompose(Builder& b, const Node& node) {
  Value* x = node.input(0);
  for (const Value* operand : node.inputs()) {
    if (operand->dtype() != x->dtype()) return {};
  }
  Value* epsilon = b.scalar(node.attributes<BatchNormAttributes>().epsilon, x->dtype());
  Value* s = b.op("mul", {node.input(1), b.op("rsqrt", {b.op("add", {node.input(4), epsilon})})});
  Value* t = b.op("sub", {node.input(2), b.op("mul", {node.input(3), s})});
  Shape per_channel(static_cast<size_t>(std::max(1, x->rank() - 1)), Dim(1));
  per_channel[0] = s->shape()[0];
  s = b.op("reshape", {s}, ReshapeAttributes{per_channel});
  t = b.op("reshape", {t}, ReshapeAttributes{per_channel});
  return {b.op("add", {b.op("mul", {x, s}), t})};
}

}  // namespace

const OpDef* batch_norm_op() {
  static const OpDef def = [] {
    OpDef made = define_op<BatchNormAttributes>("batch_norm", 5, 5, 0, infer, reference);
    made.decompose = decompose;
    return made;
  }();
  return &def;
}

}  // namespace narae
