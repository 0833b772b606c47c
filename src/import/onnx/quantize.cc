// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear, DequantizeLinear, and the QLinear operators written with them: dequantise, the float operator,
// quantise. Passes find the integer form in that; there is one form of quantisation in a Graph.
#include "import/onnx/quantize.h"

#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "import/onnx/to_tensor.h"
#include "ops/quantize.h"

namespace narae::onnx {

Value* dequantized(const OnnxNode& n, Value* x, Value* scale, Value* zero_point, int64_t axis) {
  return n.emit().builder().op("dequantize", {x, scale, zero_point}, DequantizeAttributes{axis, 0});
}

Value* quantized(const OnnxNode& n, Value* x, Value* scale, Value* zero_point) {
  QuantizeAttributes attributes;
  attributes.dtype = zero_point ? zero_point->dtype() : DType::u8;
  return n.emit().builder().op("quantize", {x, scale, zero_point}, attributes);
}

Results onnx_quantize_linear(OnnxNode& n) {
  n.ignore({"saturate", "precision"});
  Value* zero_point = n.optional(2);
  QuantizeAttributes attributes;
  attributes.axis = n.integer("axis", 1);
  attributes.block_size = n.integer("block_size", 0);
  const auto named = static_cast<ElementType>(n.integer("output_dtype", 0));
  if (named != ElementType::undefined) attributes.dtype = to_dtype(named);
  if (zero_point) attributes.dtype = zero_point->dtype();
  return {n.emit().builder().op("quantize", {n.in(0), n.in(1), zero_point}, attributes)};
}

Results onnx_dequantize_linear(OnnxNode& n) {
  const auto named = static_cast<ElementType>(n.integer("output_dtype", 0));
  const DequantizeAttributes attributes{n.integer("axis", 1), n.integer("block_size", 0)};
  Value* y = n.emit().builder().op("dequantize", {n.in(0), n.in(1), n.optional(2)}, attributes);
  return {named == ElementType::undefined ? y : n.emit().cast(y, to_dtype(named))};
}

Results onnx_dynamic_quantize_linear(OnnxNode& n) {
  return n.emit().builder().node("dynamic_quantize_linear", {n.in(0)}, NoAttributes{}, 3)->outputs();
}

Results onnx_qlinear_matmul(OnnxNode& n) {
  const Emit& e = n.emit();
  // A scale per row of a runs along its last but one axis, a scale per column of b along its last.
  Value* a = dequantized(n, n.in(0), n.in(1), n.in(2), -2);
  Value* b = dequantized(n, n.in(3), n.in(4), n.in(5), -1);
  return {quantized(n, e.matmul(a, b), n.in(6), n.in(7))};
}

}  // namespace narae::onnx
