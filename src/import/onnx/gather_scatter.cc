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

// A window of the cache, from write_indices on, replaced by the update; circular mode goes round the end.
Results onnx_tensor_scatter(OnnxNode& n) {
  const Emit& e = n.emit();
  Value *cache = n.in(0), *update = n.in(1);
  const size_t rank = cache->shape().size(), axis = normal_axis(n.integer("axis", -2), rank);
  const std::string mode = n.text("mode", "linear");
  if (mode != "linear" && mode != "circular") fail(ErrorCode::bad_file, "unknown mode {}", mode);
  if (update->shape().size() != rank || axis == 0) fail(ErrorCode::bad_file, "axis {} of rank {}", axis, rank);
  Shape along(rank, Dim(1)), batch(rank, Dim(1));
  along[axis] = update->shape()[axis];
  batch[0] = update->shape()[0];
  Value* at = e.reshape(e.iota(along[axis], DType::i64), along);
  if (n.has(2)) at = e.add(at, e.reshape(e.cast(n.in(2), DType::i64), batch));
  if (mode == "circular") at = e.binary("mod", at, e.reshape(e.dims({cache->shape()[axis]}), {}));
  const ScatterElementsAttributes attributes{static_cast<int64_t>(axis), "none"};
  return {e.builder().op("scatter_elements", {cache, e.expand(at, update->shape()), update}, attributes)};
}

// The places are those that MaxPool gives: row-major in the whole of the result.
Results onnx_max_unpool(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  const std::vector<int64_t> kernel = n.integers("kernel_shape");
  std::vector<int64_t> strides = n.integers("strides"), pads = n.integers("pads");
  strides.resize(kernel.size(), 1);
  pads.resize(2 * kernel.size(), 0);
  if (kernel.size() + 2 != x->shape().size())
    fail(ErrorCode::bad_file, "kernel of {} axes for rank {}", kernel.size(), x->rank());
  Shape inner = x->shape();
  for (size_t i = 0; i < kernel.size(); ++i) {
    for (const int64_t value : {kernel[i], strides[i], pads[i], pads[i + kernel.size()]}) {
      if (value < 0 || value > 1 << 20) fail(ErrorCode::bad_file, "an attribute of {}", value);
    }
    inner[i + 2] = (inner[i + 2] - Dim(1)) * Dim(strides[i]) + Dim(kernel[i] - pads[i] - pads[i + kernel.size()]);
  }
  const Dim count = element_count(inner);
  Value* places = e.reshape(e.cast(n.in(1), DType::i64), {element_count(x->shape())});
  Value* flat = e.builder().op("scatter_elements",
                               {e.fill({count}, 0.0, x->dtype()), places, e.reshape(x, {element_count(x->shape())})},
                               ScatterElementsAttributes{0, "none"});
  Value* y = e.reshape(flat, inner);
  if (!n.has(2)) return {y};
  const std::vector<Dim> shape = n.dims(2, "output_shape");  // larger: zeros after
  if (shape.size() != inner.size()) fail(ErrorCode::bad_file, "output_shape has {} sizes", shape.size());
  std::vector<Dim> before(inner.size(), 0), after;
  for (size_t i = 0; i < inner.size(); ++i) after.push_back(shape[i] - inner[i]);
  return {e.pad(y, before, after, e.number(0, x))};
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

Results onnx_cumulative(OnnxNode& n) {
  const std::vector<int64_t> axis = n.constant_integers(1, "axis");
  if (axis.size() != 1) fail(ErrorCode::bad_file, "axis has {} elements, not one", axis.size());
  const CumsumAttributes attributes{static_cast<int64_t>(normal_axis(axis[0], n.in(0)->shape().size())),
                                    n.integer("exclusive", 0) != 0, n.integer("reverse", 0) != 0};
  return {n.emit().builder().op(n.narae_op(), {n.in(0)}, attributes)};
}

}  // namespace narae::onnx
