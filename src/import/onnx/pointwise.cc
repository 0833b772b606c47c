// SPDX-License-Identifier: Apache-2.0
// Operators that work element by element.
#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "import/onnx/to_tensor.h"
#include "ops/unary.h"

namespace narae::onnx {

namespace {

Value* fold_left(const OnnxNode& n, std::string_view op) {
  Value* result = n.in(0);
  for (size_t i = 1; i < n.input_count(); ++i) result = n.emit().binary(op, result, n.in(i));
  return result;
}

Value* with_alpha(const OnnxNode& n, double otherwise) {
  return n.emit().builder().op(n.narae_op(), {n.in(0)}, AlphaAttributes{n.number("alpha", otherwise)});
}

}  // namespace

Results onnx_unary(OnnxNode& n) { return {n.emit().unary(n.narae_op(), n.in(0))}; }

Results onnx_binary(OnnxNode& n) { return {n.emit().binary(n.narae_op(), n.in(0), n.in(1))}; }

Results onnx_variadic(OnnxNode& n) { return {fold_left(n, n.narae_op())}; }

Results onnx_mean(OnnxNode& n) {
  Value* sum = fold_left(n, "add");
  return {n.emit().div(sum, static_cast<double>(n.input_count()))};
}

Results onnx_mod(OnnxNode& n) {
  const bool c_style = n.integer("fmod", 0) != 0;
  if (!c_style && is_float(n.in(0)->dtype())) {
    fail(ErrorCode::bad_file, "Mod of floating-point numbers needs the attribute fmod = 1");
  }
  return {n.emit().binary(c_style ? "fmod" : "mod", n.in(0), n.in(1))};
}

Results onnx_pow(OnnxNode& n) {
  const Emit& e = n.emit();
  Value *base = n.in(0), *exponent = n.in(1);
  if (base->dtype() == exponent->dtype()) return {e.binary("pow", base, exponent)};
  if (!is_float(base->dtype()) && is_float(exponent->dtype())) {
    const DType wide = exponent->dtype();
    return {e.cast(e.binary("pow", e.cast(base, wide), exponent), base->dtype())};
  }
  return {e.binary("pow", base, e.cast(exponent, base->dtype()))};
}

Results onnx_elu(OnnxNode& n) { return {with_alpha(n, 1.0)}; }
Results onnx_leaky_relu(OnnxNode& n) { return {with_alpha(n, 0.01f)}; }

Results onnx_selu(OnnxNode& n) {
  const SeluAttributes usual;
  return {n.emit().builder().op("selu", {n.in(0)},
                                SeluAttributes{n.number("alpha", usual.alpha), n.number("gamma", usual.gamma)})};
}

Results onnx_hard_sigmoid(OnnxNode& n) {
  return {n.emit().builder().op("hard_sigmoid", {n.in(0)},
                                HardSigmoidAttributes{n.number("alpha", 0.2f), n.number("beta", 0.5)})};
}

Results onnx_gelu(OnnxNode& n) {
  const std::string approximate = n.text("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    fail(ErrorCode::bad_file, "unknown approximation {}", approximate);
  return {n.emit().unary(approximate == "tanh" ? "gelu_tanh" : "gelu", n.in(0))};
}

Results onnx_swish(OnnxNode& n) {
  const double alpha = n.number("alpha", 1.0);
  if (alpha == 1.0) return {n.emit().unary("silu", n.in(0))};
  return {n.emit().mul(n.in(0), n.emit().unary("sigmoid", n.emit().mul(n.in(0), alpha)))};
}

Results onnx_shrink(OnnxNode& n) {
  const Emit& e = n.emit();
  const double bias = n.number("bias", 0.0), lambda = n.number("lambd", 0.5);
  Value* x = n.in(0);
  Value* high = e.where(e.binary("gt", x, e.number(lambda, x)), e.sub(x, bias), e.number(0, x));
  return {e.where(e.binary("lt", x, e.number(-lambda, x)), e.add(x, bias), high)};
}

Results onnx_is_inf(OnnxNode& n) {
  return {n.emit().builder().op(
      "is_inf", {n.in(0)},
      IsInfAttributes{n.integer("detect_positive", 1) != 0, n.integer("detect_negative", 1) != 0})};
}

Results onnx_clip(OnnxNode& n) {
  const Emit& e = n.emit();
  Value *x = n.in(0), *low = n.optional(1), *high = n.optional(2);
  if (n.has_attribute("min")) low = e.number(n.number("min"), x);
  if (n.has_attribute("max")) high = e.number(n.number("max"), x);
  ClipAttributes bounds;
  const bool known = (!low || low->scalar_constant(bounds.low)) && (!high || high->scalar_constant(bounds.high));
  if (x->dtype() == DType::f32 && known && bounds.low <= bounds.high) {
    return {low || high ? e.builder().op("clip", {x}, bounds) : x};
  }
  if (low) x = e.binary("max", x, low);
  if (high) x = e.binary("min", x, high);
  return {x};
}

Results onnx_cast(OnnxNode& n) {
  n.ignore({"saturate", "round_mode"});  // only small floating-point types read them
  return {n.emit().cast(n.in(0), to_dtype(static_cast<ElementType>(n.integer("to"))))};
}

Results onnx_cast_like(OnnxNode& n) {
  n.ignore({"saturate", "round_mode"});
  return {n.emit().cast(n.in(0), n.in(1)->dtype())};
}

Results onnx_bit_shift(OnnxNode& n) {
  const std::string direction = n.text("direction");
  if (direction != "LEFT" && direction != "RIGHT") fail(ErrorCode::bad_file, "unknown direction {}", direction);
  return {n.emit().binary(direction == "LEFT" ? "shift_left" : "shift_right", n.in(0), n.in(1))};
}

Results onnx_where(OnnxNode& n) { return {n.emit().where(n.in(0), n.in(1), n.in(2))}; }

Results onnx_identity(OnnxNode& n) { return {n.in(0)}; }

Results onnx_dropout(OnnxNode& n) {
  n.ignore({"ratio", "seed", "is_test"});
  if (n.has(2)) {
    if (n.constant_number(2, "training_mode") != 0) {
      fail(ErrorCode::bad_file, "training mode is not supported; export the model for inference");
    }
  }
  const Emit& e = n.emit();
  Value* mask = nullptr;
  if (n.wants(1)) mask = e.expand(e.scalar(1, DType::boolean), n.in(0)->shape());
  return {n.in(0), mask};
}

}  // namespace narae::onnx
