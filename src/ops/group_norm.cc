// SPDX-License-Identifier: Apache-2.0
#include "ops/group_norm.h"

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"
#include "ops/reshape.h"
#include "ops/standardise.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const Shape& x = c.shape(0);
  if (x.size() < 2 || !is_float(c.dtype(0))) {
    fail(ErrorCode::bad_file, "the operand is {}{}; it must be of floats [N, C, ...]", dtype_name(c.dtype(0)),
         shape_text(x));
  }
  for (size_t i = 1; i < 3; ++i) {
    if (c.shape(i).size() != 1 || c.dtype(i) != c.dtype(0)) {
      fail(ErrorCode::bad_file, "operand {} is {}{}", i, dtype_name(c.dtype(i)), shape_text(c.shape(i)));
    }
    c.require_equal(c.shape(i)[0], x[1], "channels of a norm");
  }
  c.set_output(0, c.dtype(0), x);
}

void infer_groups(InferContext& c) {
  infer(c);
  const int64_t groups = c.attributes<GroupNormAttributes>().groups;
  const Dim& channels = c.shape(0)[1];
  if (groups < 1 || (channels.is_constant() && channels.value() % groups != 0)) {
    fail(ErrorCode::bad_file, "{} groups do not divide {} channels", groups, channels.text());
  }
  if (!channels.is_constant())
    c.require_equal(floordiv(channels, groups) * Dim(groups), channels, "groups divide the channels");
}

void normalise(ReferenceContext& c, int64_t groups, double epsilon) {
  const AxisSplit split(c.inputs[0].dims, 1, 2);
  std::vector<double> values = read_elements(c.inputs[0]);
  const std::vector<double> scale = read_elements(c.inputs[1]), bias = read_elements(c.inputs[2]);
  const int64_t row = groups ? split.size / groups * split.inner : 0;
  for (int64_t i = 0; row && i < split.outer * groups; ++i) standardise(values, i * row, row, epsilon);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto channel = static_cast<size_t>(static_cast<int64_t>(i) / split.inner % split.size);
    values[i] = values[i] * scale[channel] + bias[channel];
  }
  write_elements(c.outputs[0], values);
}

void instance_reference(ReferenceContext& c) {
  normalise(c, c.inputs[0].dims[1], c.attributes<InstanceNormAttributes>().epsilon);
}
void group_reference(ReferenceContext& c) {
  const auto& a = c.attributes<GroupNormAttributes>();
  normalise(c, a.groups, a.epsilon);
}

bool is_wide(DType type) { return type == DType::f32 || type == DType::f64; }

Value* scaled(Builder& b, const Node& node, Value* y) {
  Shape per_channel(static_cast<size_t>(node.input(0)->rank() - 1), Dim(1));
  per_channel[0] = node.input(0)->shape()[1];
  Value* scale = b.op("reshape", {node.input(1)}, ReshapeAttributes{per_channel});
  return b.op("add", {b.op("mul", {y, scale}), b.op("reshape", {node.input(2)}, ReshapeAttributes{per_channel})});
}

std::vector<Value*> decompose_instance(Builder& b, const Node& node) {
  Value* x = node.input(0);
  if (!is_wide(x->dtype())) return {};
  std::vector<int64_t> axes;
  for (int64_t i = 2; i < x->rank(); ++i) axes.push_back(i);
  return {scaled(b, node, standardise(b, x, axes, node.attributes<InstanceNormAttributes>().epsilon).x)};
}

std::vector<Value*> decompose_group(Builder& b, const Node& node) {
  Value* x = node.input(0);
  const auto& a = node.attributes<GroupNormAttributes>();
  if (!is_wide(x->dtype())) return {};
  Dim row = floordiv(x->shape()[1], a.groups);
  for (size_t i = 2; i < x->shape().size(); ++i) row = row * x->shape()[i];
  Value* rows = b.op("reshape", {x}, ReshapeAttributes{{x->shape()[0], Dim(a.groups), row}});
  Value* y = b.op("reshape", {standardise(b, rows, {2}, a.epsilon).x}, ReshapeAttributes{x->shape()});
  return {scaled(b, node, y)};
}

}  // namespace

const OpDef* instance_norm_op() {
  static const OpDef def = [] {
    OpDef made = define_op<InstanceNormAttributes>("instance_norm", 3, 3, op_row_reduction | op_composite, infer,
                                                   instance_reference);
    made.decompose = decompose_instance;
    return made;
  }();
  return &def;
}
const OpDef* group_norm_op() {
  static const OpDef def = [] {
    OpDef made = define_op<GroupNormAttributes>("group_norm", 3, 3, op_row_reduction | op_composite, infer_groups,
                                                group_reference);
    made.decompose = decompose_group;
    return made;
  }();
  return &def;
}

}  // namespace narae
