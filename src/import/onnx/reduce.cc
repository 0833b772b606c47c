// SPDX-License-Identifier: Apache-2.0
// Reductions over axes, and what is made of them: softmax, argmax, norms of vectors.
#include <algorithm>

#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "ops/lp_norm.h"

namespace narae::onnx {

namespace {

struct ReduceAxes {
  std::vector<int64_t> axes;
  bool keep = true;
  bool nothing = false;  // no axes, and the model says that this means no reduction
};

ReduceAxes reduce_axes(const OnnxNode& n) {
  ReduceAxes out;
  out.keep = n.integer("keepdims", 1) != 0;
  const bool noop = n.integer("noop_with_empty_axes", 0) != 0;
  const size_t rank = n.in(0)->shape().size();
  const auto given = n.integers_or_operand("axes", 1);
  if (given && !given->empty()) {
    out.axes = normal_axes(*given, rank);
  } else if (noop) {
    out.nothing = true;
  } else {
    for (size_t i = 0; i < rank; ++i) out.axes.push_back(static_cast<int64_t>(i));
  }
  return out;
}

Value* reduced(const OnnxNode& n, std::string_view kind, Value* x, const ReduceAxes& r) {
  return r.nothing ? x : n.emit().reduce(kind, x, r.axes, r.keep);
}

int64_t softmax_axis(const OnnxNode& n) {
  return static_cast<int64_t>(normal_axis(n.integer("axis", n.opset() < 13 ? 1 : -1), n.in(0)->shape().size()));
}

// Before opset 13 everything from `axis` on is one row.
Results softmax_like(OnnxNode& n, Value* (Emit::*function)(Value*, int64_t) const) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  const int64_t axis = softmax_axis(n);
  if (n.opset() >= 13 || axis == x->rank() - 1) return {(e.*function)(x, axis)};
  Dim rows = 1, columns = 1;
  for (int64_t i = 0; i < x->rank(); ++i) {
    const Dim& size = x->shape()[static_cast<size_t>(i)];
    (i < axis ? rows : columns) = (i < axis ? rows : columns) * size;
  }
  return {e.reshape((e.*function)(e.reshape(x, {rows, columns}), 1), x->shape())};
}

}  // namespace

Results onnx_reduce(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  const ReduceAxes r = reduce_axes(n);
  if (x->dtype() != DType::boolean) return {reduced(n, n.narae_op(), x, r)};
  return {e.cast(reduced(n, n.narae_op(), e.cast(x, DType::i32), r), DType::boolean)};
}

Results onnx_softmax(OnnxNode& n) { return softmax_like(n, &Emit::softmax); }
Results onnx_log_softmax(OnnxNode& n) { return softmax_like(n, &Emit::log_softmax); }

Results onnx_hardmax(OnnxNode& n) { return softmax_like(n, &Emit::hardmax); }

Results onnx_lp_normalization(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  const auto axis = static_cast<int64_t>(normal_axis(n.integer("axis", -1), x->shape().size()));
  const int64_t p = n.integer("p", 2);
  if (p != 1 && p != 2) fail(ErrorCode::bad_file, "p = {} is not 1 or 2", p);
  return {e.builder().op("lp_norm", {x}, LpNormAttributes{axis, p})};
}

Results onnx_mean_variance_normalization(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  std::vector<int64_t> axes = n.integers("axes");
  if (axes.empty()) axes = {0, 2, 3};
  axes = normal_axes(axes, x->shape().size());
  Value* centred = e.sub(x, e.reduce("mean", x, axes, true));
  Value* deviation = e.unary("sqrt", e.reduce("mean", e.mul(centred, centred), axes, true));
  return {e.div(centred, e.add(deviation, 1e-9))};
}

}  // namespace narae::onnx
