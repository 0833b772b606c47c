// SPDX-License-Identifier: Apache-2.0
#include "nn/net.h"

#include "ops/cast.h"
#include "ops/dequantize_blocks.h"
#include "ops/fill.h"
#include "ops/gather.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/softmax.h"
#include "ops/transpose.h"

namespace narae::nn {
namespace {

Value* decoded(Net& net, const Parameter& parameter, Value* x) {
  if (parameter.format == BlockFormat::none) return net.cast(x, DType::f32);
  return net.builder().op("dequantize_blocks", {x},
                          DequantizeBlocksAttributes{block_format_info(parameter.format).name});
}

}  // namespace

Value* Net::constant(const std::string& name, const std::function<Tensor()>& make) {
  Value*& value = parameters_[{name, false}];
  if (!value) value = graph_.add_constant(make(), name);
  return value;
}

Value* Net::stored(const Parameter& parameter) {
  return constant(parameter.name, [&] { return parameter.data; });
}

Value* Net::f32(const Parameter& parameter) {
  Value*& value = parameters_[{parameter.name, true}];
  if (!value) {
    value = decoded(*this, parameter, stored(parameter));
    if (to_shape(parameter.dims) != value->shape()) value = reshape(value, to_shape(parameter.dims));
  }
  return value;
}

Value* Net::rows(const Parameter& table, Value* ids) { return decoded(*this, table, gather(stored(table), ids)); }

Value* Net::linear(Value* x, Value* weight) { return matmul(x, weight, true); }

Value* Net::matmul(Value* a, Value* b, bool transpose_b) {
  return builder_.op("matmul", {a, b}, MatmulAttributes{false, transpose_b});
}

Value* Net::reshape(Value* x, Shape shape) { return builder_.op("reshape", {x}, ReshapeAttributes{std::move(shape)}); }

Value* Net::transpose(Value* x, std::vector<int64_t> order) {
  return builder_.op("transpose", {x}, TransposeAttributes{std::move(order)});
}

Value* Net::gather(Value* x, Value* ids) { return builder_.op("gather", {x, ids}, GatherAttributes{0}); }

Value* Net::cast(Value* x, DType dtype) {
  return x->dtype() == dtype ? x : builder_.op("cast", {x}, CastAttributes{dtype});
}

Value* Net::softmax(Value* x) { return builder_.op("softmax", {x}, SoftmaxAttributes{x->rank() - 1}); }

Value* Net::reduce_sum(Value* x, int64_t axis, bool keepdims) {
  return builder_.op("reduce_sum", {x}, ReduceAttributes{{axis}, keepdims});
}

Value* Net::iota(const Dim& count) {
  RangeAttributes attributes;
  attributes.limit = count;
  return builder_.op("range", {}, attributes);
}

}  // namespace narae::nn
