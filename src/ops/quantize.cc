// SPDX-License-Identifier: Apache-2.0
#include "ops/quantize.h"

#include "ops/cast.h"
#include "ops/define.h"
#include "ops/expand.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/unary.h"

namespace narae {
namespace {

bool is_narrow(DType dtype) {
  return dtype == DType::u8 || dtype == DType::i8 || dtype == DType::u16 || dtype == DType::i16;
}
bool is_per_tensor(const Shape& scale) { return scale.empty() || (scale.size() == 1 && scale[0] == Dim(1)); }

void check_scale(InferContext& c, int64_t axis, int64_t block) {
  const Shape &x = c.shape(0), &scale = c.shape(1);
  if (!is_float(c.dtype(1))) fail(ErrorCode::bad_file, "the scale is {}, not a float", dtype_name(c.dtype(1)));
  if (c.has_input(2) && c.shape(2) != scale) {
    fail(ErrorCode::bad_file, "zero point of shape {}, scale of {}", shape_text(c.shape(2)), shape_text(scale));
  }
  if (block < 0) fail(ErrorCode::bad_file, "blocks of {}", block);
  if (block == 0) {
    if (is_per_tensor(scale)) return;
    if (scale.size() != 1) fail(ErrorCode::bad_file, "scale of shape {} without blocks", shape_text(scale));
    const auto at = static_cast<size_t>(normal_axis(axis, static_cast<int64_t>(x.size())));
    return c.require_equal(scale[0], x[at], "one scale per entry of the axis");
  }
  if (scale.size() != x.size()) fail(ErrorCode::bad_file, "scale of rank {}, x of {}", scale.size(), x.size());
  const auto at = static_cast<size_t>(normal_axis(axis, static_cast<int64_t>(x.size())));
  for (size_t i = 0; i < x.size(); ++i) {
    c.require_equal(scale[i], i == at ? ceildiv(x[i], Dim(block)) : x[i], "sizes of blocks and scale");
  }
}

// Where the scale of an element lies.
struct ScalePlace {
  Dims strides;  // per axis of x
  size_t axis = 0;
  int64_t block = 1;

  ScalePlace(const Tensor& x, const Tensor& scale, int64_t axis_attribute, int64_t block_size)
      : strides(x.dims.size(), 0), block(std::max<int64_t>(1, block_size)) {
    if (scale.dims.empty() || (block_size == 0 && scale.dims[0] == 1)) return;
    axis = static_cast<size_t>(normal_axis(axis_attribute, static_cast<int64_t>(x.dims.size())));
    if (block_size == 0) {
      strides[axis] = 1;
    } else {
      strides = row_strides(scale.dims);
    }
  }
  int64_t operator()(const Dims& index) const {
    int64_t offset = 0;
    for (size_t i = 0; i < index.size(); ++i) offset += strides[i] * (i == axis ? index[i] / block : index[i]);
    return offset;
  }
};

float as_float(const Tensor& tensor, int64_t i) { return static_cast<float>(element_as_double(tensor, i)); }
bool present(const ReferenceContext& c, size_t i) { return c.inputs.size() > i && c.inputs[i].data; }

void infer_quantize(InferContext& c) {
  const auto& a = c.attributes<QuantizeAttributes>();
  if (!is_narrow(a.dtype)) fail(ErrorCode::bad_file, "cannot quantize to {}", dtype_name(a.dtype));
  if (c.has_input(2) && c.dtype(2) != a.dtype) {
    fail(ErrorCode::bad_file, "the zero point is {}, the result {}", dtype_name(c.dtype(2)), dtype_name(a.dtype));
  }
  check_scale(c, a.axis, a.block_size);
  c.set_output(0, a.dtype, c.shape(0));
}

void quantize_element(const Tensor& y, int64_t i, float x, float scale, float zero) {
  set_integer(y, i, saturate_to_integer(std::nearbyint(x / scale) + zero, y.dtype));
}

void reference_quantize(ReferenceContext& c) {
  const auto& a = c.attributes<QuantizeAttributes>();
  const Tensor &x = c.inputs[0], &scale = c.inputs[1], &y = c.outputs[0];
  const ScalePlace place(x, scale, a.axis, a.block_size);
  const bool has_zero = present(c, 2);
  for_each_index(x.dims, [&](const Dims& index, int64_t i) {
    const int64_t at = place(index);
    quantize_element(y, i, as_float(x, i), as_float(scale, at), has_zero ? as_float(c.inputs[2], at) : 0.0f);
  });
}

void infer_dequantize(InferContext& c) {
  const auto& a = c.attributes<DequantizeAttributes>();
  if (!is_narrow(c.dtype(0)) && c.dtype(0) != DType::i32) {
    fail(ErrorCode::bad_file, "cannot dequantize {}", dtype_name(c.dtype(0)));
  }
  if (c.has_input(2) && c.dtype(2) != c.dtype(0)) {
    fail(ErrorCode::bad_file, "the zero point is {}, the operand {}", dtype_name(c.dtype(2)), dtype_name(c.dtype(0)));
  }
  check_scale(c, a.axis, a.block_size);
  c.set_output(0, c.dtype(1), c.shape(0));
}

void reference_dequantize(ReferenceContext& c) {
  const auto& a = c.attributes<DequantizeAttributes>();
  const Tensor &x = c.inputs[0], &scale = c.inputs[1], &y = c.outputs[0];
  const ScalePlace place(x, scale, a.axis, a.block_size);
  const bool has_zero = present(c, 2);
  for_each_index(x.dims, [&](const Dims& index, int64_t i) {
    const int64_t at = place(index);
    const int64_t steps = element_as_int(x, i) - (has_zero ? element_as_int(c.inputs[2], at) : 0);
    set_element(y, i, static_cast<float>(steps) * as_float(scale, at));
  });
}

// A scale or zero point with the sizes that broadcast against x.
Value* spread(Builder& builder, Value* value, const Shape& x, int64_t axis_attribute, int64_t block) {
  const Shape shape = value->shape();
  if (block == 0 && is_per_tensor(shape)) {
    return shape.empty() ? value : builder.op("reshape", {value}, ReshapeAttributes{});
  }
  const auto axis = static_cast<size_t>(normal_axis(axis_attribute, static_cast<int64_t>(x.size())));
  if (block == 0) {
    Shape column(x.size() - axis, Dim(1));
    column[0] = shape[0];
    return builder.op("reshape", {value}, ReshapeAttributes{column});
  }
  const auto after = static_cast<ptrdiff_t>(axis + 1);
  Shape apart = shape, filled, joined = shape;
  apart.insert(apart.begin() + after, Dim(1));
  filled = apart;
  filled[axis + 1] = Dim(block);
  joined[axis] = joined[axis] * Dim(block);
  value = builder.op("reshape", {value}, ReshapeAttributes{apart});
  value = builder.op("expand", {value}, ExpandAttributes{filled});
  value = builder.op("reshape", {value}, ReshapeAttributes{joined});
  if (joined[axis] == x[axis]) return value;
  return builder.op("slice", {value}, SliceAttributes{{Dim(0)}, {x[axis]}, {static_cast<int64_t>(axis)}, {}});
}

Value* as_type(Builder& builder, Value* value, DType dtype) {
  return value->dtype() == dtype ? value : builder.op("cast", {value}, CastAttributes{dtype});
}

std::vector<Value*> decompose_quantize(Builder& builder, const Node& node) {
  const auto& a = node.attributes<QuantizeAttributes>();
  const Shape& shape = node.input(0)->shape();
  auto operand = [&](size_t i) {
    return as_type(builder, spread(builder, node.input(i), shape, a.axis, a.block_size), DType::f32);
  };
  Value* y = builder.op("div", {as_type(builder, node.input(0), DType::f32), operand(1)});
  y = builder.op("round", {y});
  if (node.input(2)) y = builder.op("add", {y, operand(2)});
  const bool is_signed = a.dtype == DType::i8 || a.dtype == DType::i16;
  const double count = dtype_size(a.dtype) == 1 ? 256.0 : 65536.0, low = is_signed ? -count / 2 : 0.0;
  y = builder.op("clip", {y}, ClipAttributes{low, low + count - 1});
  return {builder.op("cast", {y}, CastAttributes{a.dtype})};
}

std::vector<Value*> decompose_dequantize(Builder& builder, const Node& node) {
  const auto& a = node.attributes<DequantizeAttributes>();
  const Shape& shape = node.input(0)->shape();
  auto spread_operand = [&](size_t i) { return spread(builder, node.input(i), shape, a.axis, a.block_size); };
  // Differences of 16 bits are exact in f32, those of 32 are not.
  const DType steps = node.input(0)->dtype() == DType::i32 && node.input(2) ? DType::i64 : DType::f32;
  Value* y = as_type(builder, node.input(0), steps);
  if (node.input(2)) y = builder.op("sub", {y, as_type(builder, spread_operand(2), steps)});
  y = builder.op("mul", {as_type(builder, y, DType::f32), as_type(builder, spread_operand(1), DType::f32)});
  return {as_type(builder, y, node.output()->dtype())};
}

void infer_dynamic(InferContext& c) {
  if (c.dtype(0) != DType::f32) fail(ErrorCode::bad_file, "an operand of {}, not f32", dtype_name(c.dtype(0)));
  c.set_output(0, DType::u8, c.shape(0));
  c.set_output(1, DType::f32, {});
  c.set_output(2, DType::u8, {});
}

void reference_dynamic(ReferenceContext& c) {
  const Tensor& x = c.inputs[0];
  float low = 0.0f, high = 0.0f;
  const int64_t count = x.count();
  for (int64_t i = 0; i < count; ++i) {
    low = std::min(low, x.as<float>()[i]);
    high = std::max(high, x.as<float>()[i]);
  }
  const float scale = high == low ? 1.0f : (high - low) / 255.0f;
  c.outputs[1].as<float>()[0] = scale;
  quantize_element(c.outputs[2], 0, -low, scale, 0.0f);
  const float zero = c.outputs[2].as<uint8_t>()[0];
  for (int64_t i = 0; i < count; ++i) quantize_element(c.outputs[0], i, x.as<float>()[i], scale, zero);
}

std::vector<Value*> decompose_dynamic(Builder& builder, const Node& node) {
  Value* x = node.input(0);
  ReduceAttributes all;
  for (int64_t axis = 0; axis < x->rank(); ++axis) all.axes.push_back(axis);
  all.keepdims = false;
  Value* zero = builder.scalar(0.0);
  Value* low = builder.op("min", {builder.op("reduce_min", {x}, all), zero});
  Value* high = builder.op("max", {builder.op("reduce_max", {x}, all), zero});
  Value* range = builder.op("sub", {high, low});
  Value* scale = builder.op("div", {range, builder.scalar(255.0)});
  scale = builder.op("select", {builder.op("eq", {range, zero}), builder.scalar(1.0), scale});
  Value* point = builder.op("round", {builder.op("div", {builder.op("neg", {low}), scale})});
  point = builder.op("cast", {builder.op("clip", {point}, ClipAttributes{0.0, 255.0})}, CastAttributes{DType::u8});
  QuantizeAttributes to;
  to.dtype = DType::u8;
  return {builder.op("quantize", {x, scale, point}, to), scale, point};
}

template <typename A>
OpDef define(const char* name, int max_inputs, void (*infer)(InferContext&), void (*reference)(ReferenceContext&),
             std::vector<Value*> (*decompose)(Builder&, const Node&)) {
  OpDef def = define_op<A>(name, std::min(2, max_inputs), max_inputs, 0, infer, reference);
  def.decompose = decompose;
  return def;
}

}  // namespace

const OpDef* quantize_op() {
  static const OpDef def =
      define<QuantizeAttributes>("quantize", 3, infer_quantize, reference_quantize, decompose_quantize);
  return &def;
}
const OpDef* dequantize_op() {
  static const OpDef def =
      define<DequantizeAttributes>("dequantize", 3, infer_dequantize, reference_dequantize, decompose_dequantize);
  return &def;
}
const OpDef* dynamic_quantize_linear_op() {
  static const OpDef def =
      define<NoAttributes>("dynamic_quantize_linear", 1, infer_dynamic, reference_dynamic, decompose_dynamic);
  return &def;
}

}  // namespace narae
