// SPDX-License-Identifier: Apache-2.0
#include "ops/softmax.h"

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/one_hot.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/topk.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const int64_t axis = c.attributes<SoftmaxAttributes>().axis;
  if (axis < 0 || axis >= static_cast<int64_t>(c.shape(0).size())) {
    fail(ErrorCode::bad_file, "axis {} of an operand {}", axis, shape_text(c.shape(0)));
  }
  if (!is_float(c.dtype(0))) fail(ErrorCode::bad_file, "the operand is {}, not a float", dtype_name(c.dtype(0)));
  c.set_output(0, c.dtype(0), c.shape(0));
}

// `row` rewrites one row in place.
template <void (*row)(std::vector<double>&)>
void reference(ReferenceContext& c) {
  const int64_t axis = c.attributes<SoftmaxAttributes>().axis;
  const AxisSplit split(c.inputs[0].dims, axis, axis + 1);
  std::vector<double> values = read_elements(c.inputs[0]), one(static_cast<size_t>(split.size));
  for (int64_t outer = 0; outer < split.outer; ++outer) {
    for (int64_t inner = 0; inner < split.inner; ++inner) {
      double* at = values.data() + outer * split.size * split.inner + inner;
      for (size_t i = 0; i < one.size(); ++i) one[i] = at[static_cast<int64_t>(i) * split.inner];
      if (!one.empty()) row(one);
      for (size_t i = 0; i < one.size(); ++i) at[static_cast<int64_t>(i) * split.inner] = one[i];
    }
  }
  write_elements(c.outputs[0], values);
}

void softmax_row(std::vector<double>& row) {
  const double top = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (double& value : row) sum += value = std::exp(value - top);
  for (double& value : row) value /= sum;
}
void log_softmax_row(std::vector<double>& row) {
  const double top = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const double value : row) sum += std::exp(value - top);
  for (double& value : row) value = value - top - std::log(sum);
}
void hardmax_row(std::vector<double>& row) {
  const auto top = std::max_element(row.begin(), row.end()) - row.begin();
  std::fill(row.begin(), row.end(), 0.0);
  row[static_cast<size_t>(top)] = 1.0;
}

// x - max and what follows from it; both ops share the first half.
Value* shifted(Builder& b, const Node& node, const ReduceAttributes& along) {
  return b.op("sub", {node.input(0), b.op("reduce_max", {node.input(0)}, along)});
}
ReduceAttributes along_axis(const Node& node) { return {{node.attributes<SoftmaxAttributes>().axis}, true}; }

std::vector<Value*> decompose_softmax(Builder& b, const Node& node) {
  const ReduceAttributes along = along_axis(node);
  Value* e = b.op("exp", {shifted(b, node, along)});
  return {b.op("div", {e, b.op("reduce_sum", {e}, along)})};
}
std::vector<Value*> decompose_log_softmax(Builder& b, const Node& node) {
  const ReduceAttributes along = along_axis(node);
  Value* x = shifted(b, node, along);
  return {b.op("sub", {x, b.op("log", {b.op("reduce_sum", {b.op("exp", {x})}, along)})})};
}

// A one at the place of the (first) maximum.
std::vector<Value*> decompose_hardmax(Builder& b, const Node& node) {
  const Value* x = node.input(0);
  const int64_t axis = normal_axis(node.attributes<SoftmaxAttributes>().axis, x->rank());
  if (x->shape()[static_cast<size_t>(axis)].low() < 1) return {};  // nothing in it has a place
  Value* place = b.op("arg_max", {node.input(0)}, ArgAttributes{axis, false, false});
  Tensor values = Tensor::allocate(x->dtype(), {2});
  set_element(values, 0, 0), set_element(values, 1, 1);
  const Dim depth = x->shape()[static_cast<size_t>(axis)];
  return {b.op("one_hot", {place, b.graph().add_constant(std::move(values))}, OneHotAttributes{depth, axis})};
}

template <void (*row)(std::vector<double>&)>
OpDef row_op(const char* name, std::vector<Value*> (*decompose)(Builder&, const Node&)) {
  OpDef def = define_op<SoftmaxAttributes>(name, 1, 1, op_row_reduction, infer, reference<row>);
  def.decompose = decompose;
  return def;
}

}  // namespace

const OpDef* softmax_op() {
  static const OpDef def = row_op<softmax_row>("softmax", decompose_softmax);
  return &def;
}
const OpDef* log_softmax_op() {
  static const OpDef def = row_op<log_softmax_row>("log_softmax", decompose_log_softmax);
  return &def;
}
const OpDef* hardmax_op() {
  static const OpDef def = [] {
    OpDef made = row_op<hardmax_row>("hardmax", decompose_hardmax);
    made.traits |= op_composite;
    return made;
  }();
  return &def;
}

}  // namespace narae
