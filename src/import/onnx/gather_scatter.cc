// SPDX-License-Identifier: Apache-2.0
// Operators that pick, place or order elements by index.
#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "ops/cumsum.h"
#include "ops/gather.h"
#include "ops/gather_nd.h"
#include "ops/reverse_sequence.h"
#include "ops/scatter.h"
#include "ops/topk.h"

namespace narae::onnx {

namespace {

Value* as_indices(const Emit& e, Value* x) {
  return x->dtype() == DType::i32 || x->dtype() == DType::i64 ? x : e.cast(x, DType::i64);
}

}  // namespace

Results onnx_gather(OnnxNode& n) {
  const size_t axis = normal_axis(n.integer("axis", 0), n.in(0)->shape().size());
  return {n.emit().gather(n.in(0), n.in(1), static_cast<int64_t>(axis))};
}

Results onnx_gather_elements(OnnxNode& n) {
  const auto axis = static_cast<int64_t>(normal_axis(n.integer("axis", 0), n.in(0)->shape().size()));
  return {n.emit().builder().op("gather_elements", {n.in(0), as_indices(n.emit(), n.in(1))}, GatherAttributes{axis})};
}

Results onnx_gather_nd(OnnxNode& n) {
  const GatherNdAttributes attributes{n.integer("batch_dims", 0)};
  return {n.emit().builder().op("gather_nd", {n.in(0), as_indices(n.emit(), n.in(1))}, attributes)};
}

Results onnx_scatter_elements(OnnxNode& n) {
  const auto axis = static_cast<int64_t>(normal_axis(n.integer("axis", 0), n.in(0)->shape().size()));
  const ScatterElementsAttributes attributes{axis, n.text("reduction", "none")};
  return {n.emit().builder().op("scatter_elements", {n.in(0), as_indices(n.emit(), n.in(1)), n.in(2)}, attributes)};
}

Results onnx_scatter_nd(OnnxNode& n) {
  const ScatterNdAttributes attributes{n.text("reduction", "none")};
  return {n.emit().builder().op("scatter_nd", {n.in(0), as_indices(n.emit(), n.in(1)), n.in(2)}, attributes)};
}

Results onnx_reverse_sequence(OnnxNode& n) {
  const ReverseSequenceAttributes attributes{n.integer("time_axis", 0), n.integer("batch_axis", 1)};
  return {n.emit().builder().op("reverse_sequence", {n.in(0), as_indices(n.emit(), n.in(1))}, attributes)};
}

Results onnx_arg_max(OnnxNode& n) {
  const auto axis = static_cast<int64_t>(normal_axis(n.integer("axis", 0), n.in(0)->shape().size()));
  const ArgAttributes attributes{axis, n.integer("keepdims", 1) != 0, n.integer("select_last_index", 0) != 0};
  return {n.emit().builder().op(n.narae_op(), {n.in(0)}, attributes)};
}

Results onnx_top_k(OnnxNode& n) {
  TopkAttributes attributes;
  attributes.axis = static_cast<int64_t>(normal_axis(n.integer("axis", -1), n.in(0)->shape().size()));
  attributes.largest = n.integer("largest", 1) != 0;
  attributes.sorted = n.integer("sorted", 1) != 0;
  if (n.has_attribute("k")) {
    attributes.k = n.integer("k");
  } else {
    const std::vector<Dim> k = n.dims(1, "k");  // a constant, or the size of something
    if (k.size() != 1) fail(ErrorCode::bad_file, "k has {} elements, not one", k.size());
    attributes.k = k[0];
  }
  return n.emit().builder().node("topk", {n.in(0)}, attributes, 2)->outputs();
}

Results onnx_cumsum(OnnxNode& n) {
  const std::vector<int64_t> axis = n.constant_integers(1, "axis");
  if (axis.size() != 1) fail(ErrorCode::bad_file, "axis has {} elements, not one", axis.size());
  const CumsumAttributes attributes{static_cast<int64_t>(normal_axis(axis[0], n.in(0)->shape().size())),
                                    n.integer("exclusive", 0) != 0, n.integer("reverse", 0) != 0};
  return {n.emit().builder().op("cumsum", {n.in(0)}, attributes)};
}

}  // namespace narae::onnx
