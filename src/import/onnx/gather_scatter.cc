// SPDX-License-Identifier: Apache-2.0
// Operators that pick elements by index.
#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "ops/gather.h"

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

Results onnx_reverse_sequence(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  const auto time = static_cast<size_t>(n.integer("time_axis", 0)),
             batch = static_cast<size_t>(n.integer("batch_axis", 1));
  const size_t rank = x->shape().size();
  if (time >= rank || batch >= rank || time == batch)
    fail(ErrorCode::bad_file, "time_axis {}, batch_axis {}", time, batch);
  Shape along_time(rank, Dim(1)), along_batch(rank, Dim(1));
  along_time[time] = x->shape()[time];
  along_batch[batch] = x->shape()[batch];
  Value* at = e.reshape(e.iota(x->shape()[time], DType::i64), along_time);
  Value* lengths = e.reshape(e.cast(n.in(1), DType::i64), along_batch);
  Value* from = e.where(e.binary("lt", at, lengths), e.sub(e.sub(lengths, 1), at), at);
  return {
      e.builder().op("gather_elements", {x, e.expand(from, x->shape())}, GatherAttributes{static_cast<int64_t>(time)})};
}

}  // namespace narae::onnx
