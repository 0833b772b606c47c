// SPDX-License-Identifier: Apache-2.0
#include "ops/lrn.h"

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"
#include "ops/pool.h"
#include "ops/reshape.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const int64_t size = c.attributes<LrnAttributes>().size;
  if (size < 1 || c.shape(0).size() < 2 || !is_float(c.dtype(0))) {
    fail(ErrorCode::bad_file, "size {} on {}{}; wanted: a positive size and floats [N, C, ...]", size,
         dtype_name(c.dtype(0)), shape_text(c.shape(0)));
  }
  c.set_output(0, c.dtype(0), c.shape(0));
}

void reference(ReferenceContext& c) {
  const auto& a = c.attributes<LrnAttributes>();
  const AxisSplit split(c.inputs[0].dims, 1, 2);
  const std::vector<double> x = read_elements(c.inputs[0]);
  std::vector<double> y(x.size());
  for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
    const int64_t channel = i / split.inner % split.size;
    const int64_t first = std::max<int64_t>(0, channel - (a.size - 1) / 2);
    const int64_t last = std::min(split.size - 1, channel + a.size / 2);
    double squares = 0;
    for (int64_t k = first; k <= last; ++k) {
      const double value = x[static_cast<size_t>(i + (k - channel) * split.inner)];
      squares += value * value;
    }
    const double divisor = std::pow(a.bias + a.alpha / static_cast<double>(a.size) * squares, a.beta);
    y[static_cast<size_t>(i)] = x[static_cast<size_t>(i)] / divisor;
  }
  write_elements(c.outputs[0], y);
}

// The sum over channels is an average pool over planes of [C, rest].
std::vector<Value*> decompose(Builder& b, const Node& node) {
  Value* x = node.input(0);
  const auto& a = node.attributes<LrnAttributes>();
  if (x->dtype() != DType::f32) return {};
  const Shape& shape = x->shape();
  Dim rest(1);
  for (size_t i = 2; i < shape.size(); ++i) rest = rest * shape[i];
  AvgPoolAttributes window{{a.size, 1}, {1, 1}, {1, 1}, {(a.size - 1) / 2, 0, a.size / 2, 0}};
  window.count_include_pad = true;
  Value* planes = b.op("reshape", {b.op("square", {x})}, ReshapeAttributes{{shape[0], Dim(1), shape[1], rest}});
  Value* mean = b.op("reshape", {b.op("avg_pool", {planes}, window)}, ReshapeAttributes{shape});
  Value* base = b.op("add", {b.op("mul", {mean, b.scalar(a.alpha)}), b.scalar(a.bias)});
  return {b.op("mul", {x, b.op("pow", {base, b.scalar(-a.beta)})})};
}

}  // namespace

const OpDef* lrn_op() {
  static const OpDef def = [] {
    OpDef made = define_op<LrnAttributes>("lrn", 1, 1, op_composite, infer, reference);
    made.decompose = decompose;
    return made;
  }();
  return &def;
}

}  // namespace narae
