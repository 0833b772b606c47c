// SPDX-License-Identifier: Apache-2.0
#include "ops/layer_norm.h"

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/standardise.h"

namespace narae {
namespace {

// Scale and bias must not widen x.
void check_operand(InferContext& c, size_t i) {
  const Shape &x = c.shape(0), &operand = c.shape(i);
  if (c.dtype(i) != c.dtype(0)) {
    fail(ErrorCode::bad_file, "operand {} is {}, x is {}", i, dtype_name(c.dtype(i)), dtype_name(c.dtype(0)));
  }
  if (operand.size() > x.size())
    fail(ErrorCode::bad_file, "{} does not broadcast to {}", shape_text(operand), shape_text(x));
  for (size_t k = 0; k < operand.size(); ++k) {
    if (operand[k] != Dim(1))
      c.require_equal(operand[k], x[x.size() - operand.size() + k], "scale or bias broadcast to x");
  }
}

void infer(InferContext& c) {
  const int64_t axis = c.attributes<LayerNormAttributes>().axis;
  const Shape& x = c.shape(0);
  if (!is_float(c.dtype(0))) fail(ErrorCode::bad_file, "the operand is {}, not a float", dtype_name(c.dtype(0)));
  if (axis < 0 || axis >= static_cast<int64_t>(x.size()))
    fail(ErrorCode::bad_file, "axis {} of an operand {}", axis, shape_text(x));
  for (size_t i = 1; i < c.input_count(); ++i) {
    if (c.has_input(i)) check_operand(c, i);
  }
  Shape rows = x;
  for (size_t i = static_cast<size_t>(axis); i < rows.size(); ++i) rows[i] = Dim(1);
  const DType statistics = c.dtype(0) == DType::f64 ? DType::f64 : DType::f32;
  for (size_t i = 1; i < c.node().outputs().size(); ++i) c.set_output(i, statistics, rows);
  c.set_output(0, c.dtype(0), x);
}

// values = values * scale + bias, both broadcast.
void apply_affine(const ReferenceContext& c, std::vector<double>& values) {
  const Dims& dims = c.inputs[0].dims;
  for (size_t operand = 1; operand < c.inputs.size(); ++operand) {
    if (!c.inputs[operand].data) continue;
    const std::vector<double> factors = read_elements(c.inputs[operand]);
    const Dims strides = broadcast_strides(c.inputs[operand].dims, dims);
    for_each_index(dims, [&](const Dims& index, int64_t i) {
      const double factor = factors[static_cast<size_t>(offset_of(index, strides))];
      double& value = values[static_cast<size_t>(i)];
      value = operand == 1 ? value * factor : value + factor;
    });
  }
}

void layer_reference(ReferenceContext& c) {
  const auto& a = c.attributes<LayerNormAttributes>();
  const AxisSplit split(c.inputs[0].dims, a.axis, static_cast<int64_t>(c.inputs[0].dims.size()));
  std::vector<double> values = read_elements(c.inputs[0]);
  for (int64_t row = 0; row < split.outer; ++row) {
    const RowStatistics statistics = standardise(values, row * split.size, split.size, a.epsilon);
    if (c.outputs.size() > 1) set_element(c.outputs[1], row, statistics.mean);
    if (c.outputs.size() > 2) set_element(c.outputs[2], row, statistics.inv_deviation);
  }
  apply_affine(c, values);
  write_elements(c.outputs[0], values);
}

void rms_reference(ReferenceContext& c) {
  const auto& a = c.attributes<LayerNormAttributes>();
  const AxisSplit split(c.inputs[0].dims, a.axis, static_cast<int64_t>(c.inputs[0].dims.size()));
  std::vector<double> values = read_elements(c.inputs[0]);
  for (int64_t row = 0; row < split.outer; ++row) {
    double* at = values.data() + row * split.size;
    double squares = 0;
    for (int64_t i = 0; i < split.size; ++i) squares += at[i] * at[i];
    const double factor = 1 / std::sqrt(squares / static_cast<double>(split.size) + a.epsilon);
    for (int64_t i = 0; i < split.size; ++i) at[i] *= factor;
  }
  apply_affine(c, values);
  write_elements(c.outputs[0], values);
}

bool is_wide(DType type) { return type == DType::f32 || type == DType::f64; }

std::vector<int64_t> row_axes(const Node& node) {
  std::vector<int64_t> axes;
  for (int64_t i = node.attributes<LayerNormAttributes>().axis; i < node.input(0)->rank(); ++i) axes.push_back(i);
  return axes;
}

std::vector<Value*> decompose_layer(Builder& b, const Node& node) {
  if (!is_wide(node.input(0)->dtype())) return {};
  const StandardisedValues s =
      standardise(b, node.input(0), row_axes(node), node.attributes<LayerNormAttributes>().epsilon);
  Value* y = b.op("mul", {s.x, node.input(1)});
  if (node.input(2)) y = b.op("add", {y, node.input(2)});
  std::vector<Value*> results{y, s.mean, s.inv_deviation};
  results.resize(node.outputs().size());
  return results;
}

std::vector<Value*> decompose_rms(Builder& b, const Node& node) {
  Value* x = node.input(0);
  if (!is_wide(x->dtype())) return {};
  Value* squares = b.op("reduce_mean", {b.op("square", {x})}, ReduceAttributes{row_axes(node), true});
  Value* epsilon = b.scalar(node.attributes<LayerNormAttributes>().epsilon, x->dtype());
  return {b.op("mul", {b.op("mul", {x, b.op("rsqrt", {b.op("add", {squares, epsilon})})}), node.input(1)})};
}

}  // namespace

const OpDef* layer_norm_op() {
  static const OpDef def = [] {
    OpDef made = define_op<LayerNormAttributes>("layer_norm", 2, 3, op_row_reduction, infer, layer_reference);
    made.decompose = decompose_layer;
    return made;
  }();
  return &def;
}
const OpDef* rms_norm_op() {
  static const OpDef def = [] {
    OpDef made = define_op<LayerNormAttributes>("rms_norm", 2, 2, op_row_reduction, infer, rms_reference);
    made.decompose = decompose_rms;
    return made;
  }();
  return &def;
}

}  // namespace narae
