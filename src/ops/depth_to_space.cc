// SPDX-License-Identifier: Apache-2.0
#include "ops/depth_to_space.h"

#include "ops/define.h"
#include "ops/ops.h"
#include "ops/reshape.h"
#include "ops/transpose.h"

namespace narae {
namespace {

const Shape& image_shape(InferContext& c, int64_t block) {
  if (c.shape(0).size() != 4) fail(ErrorCode::bad_file, "an operand of rank {}, not [N, C, H, W]", c.shape(0).size());
  if (block < 1 || block > 1 << 15) fail(ErrorCode::bad_file, "blocks of {}", block);
  return c.shape(0);
}

Dim divided(InferContext& c, const Dim& size, int64_t by) {
  const Dim quotient = floordiv(size, Dim(by));
  c.require_equal(size, quotient * Dim(by), fmt::format("a size divisible by {}", by));
  return quotient;
}

void infer_to_space(InferContext& c) {
  const auto& a = c.attributes<DepthToSpaceAttributes>();
  const Shape& x = image_shape(c, a.block);
  if (a.mode != "DCR" && a.mode != "CRD") fail(ErrorCode::bad_file, "unknown mode \"{}\"", a.mode);
  const Dim b(a.block);
  c.set_output(0, c.dtype(0), {x[0], divided(c, x[1], a.block * a.block), x[2] * b, x[3] * b});
}

void reference_to_space(ReferenceContext& c) {
  const auto& a = c.attributes<DepthToSpaceAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const int64_t b = a.block, channels = y.dims[1];
  const Dims strides = row_strides(x.dims);
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_index(y.dims, [&](const Dims& index, int64_t i) {
      const int64_t place = index[2] % b * b + index[3] % b;
      const int64_t channel = a.mode == "DCR" ? place * channels + index[1] : index[1] * b * b + place;
      y.as<T>()[i] = x.as<T>()[index[0] * strides[0] + channel * strides[1] + index[2] / b * strides[2] + index[3] / b];
    });
  });
}

std::vector<Value*> decompose_to_space(Builder& builder, const Node& node) {
  const auto& a = node.attributes<DepthToSpaceAttributes>();
  const Shape &x = node.input(0)->shape(), &y = node.output()->shape();
  const bool dcr = a.mode == "DCR";
  const Dim b(a.block);
  const Shape apart = dcr ? Shape{x[0], b, b, y[1], x[2], x[3]} : Shape{x[0], y[1], b, b, x[2], x[3]};
  const std::vector<int64_t> perm =
      dcr ? std::vector<int64_t>{0, 3, 4, 1, 5, 2} : std::vector<int64_t>{0, 1, 4, 2, 5, 3};
  Value* value = builder.op("reshape", {node.input(0)}, ReshapeAttributes{apart});
  value = builder.op("transpose", {value}, TransposeAttributes{perm});
  return {builder.op("reshape", {value}, ReshapeAttributes{y})};
}

void infer_to_depth(InferContext& c) {
  const int64_t block = c.attributes<SpaceToDepthAttributes>().block;
  const Shape& x = image_shape(c, block);
  c.set_output(0, c.dtype(0), {x[0], x[1] * Dim(block * block), divided(c, x[2], block), divided(c, x[3], block)});
}

void reference_to_depth(ReferenceContext& c) {
  const int64_t b = c.attributes<SpaceToDepthAttributes>().block;
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const int64_t channels = x.dims[1];
  const Dims strides = row_strides(x.dims);
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_index(y.dims, [&](const Dims& index, int64_t i) {
      const int64_t place = index[1] / channels;
      const int64_t row = index[2] * b + place / b, column = index[3] * b + place % b;
      y.as<T>()[i] = x.as<T>()[index[0] * strides[0] + index[1] % channels * strides[1] + row * strides[2] + column];
    });
  });
}

std::vector<Value*> decompose_to_depth(Builder& builder, const Node& node) {
  const Dim b(node.attributes<SpaceToDepthAttributes>().block);
  const Shape &x = node.input(0)->shape(), &y = node.output()->shape();
  Value* value = builder.op("reshape", {node.input(0)}, ReshapeAttributes{{x[0], x[1], y[2], b, y[3], b}});
  value = builder.op("transpose", {value}, TransposeAttributes{{0, 3, 5, 1, 2, 4}});
  return {builder.op("reshape", {value}, ReshapeAttributes{y})};
}

template <typename A>
OpDef define(const char* name, void (*infer)(InferContext&), void (*reference)(ReferenceContext&),
             std::vector<Value*> (*decompose)(Builder&, const Node&)) {
  OpDef def = define_op<A>(name, 1, 1, op_composite, infer, reference);
  def.decompose = decompose;
  return def;
}

}  // namespace

const OpDef* depth_to_space_op() {
  static const OpDef def =
      define<DepthToSpaceAttributes>("depth_to_space", infer_to_space, reference_to_space, decompose_to_space);
  return &def;
}
const OpDef* space_to_depth_op() {
  static const OpDef def =
      define<SpaceToDepthAttributes>("space_to_depth", infer_to_depth, reference_to_depth, decompose_to_depth);
  return &def;
}

}  // namespace narae
