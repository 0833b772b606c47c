// SPDX-License-Identifier: Apache-2.0
// All unary pointwise ops. Their meaning on floats is scalar_apply (tensor/scalar_program.h), computed in double.
#include "ops/unary.h"

#include <array>

#include "ops/contents.h"
#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer_same(InferContext& c) { c.set_output(0, c.dtype(0), c.shape(0)); }

// Contents survive the ops that shape arithmetic uses.
void infer_neg(InferContext& c) {
  infer_same(c);
  const auto* contents = c.contents(0);
  if (!contents) return;
  std::vector<Dim> negated;
  for (const Dim& dim : *contents) {
    negated.push_back(dim * Dim(-1));
    if (!modest(dim) || !content_fits(negated.back(), c.dtype(0))) return;
  }
  c.set_contents(0, std::move(negated));
}
void infer_rounding(InferContext& c) {
  infer_same(c);
  if (const auto* contents = c.contents(0)) c.set_contents(0, *contents);
}
void infer_boolean(InferContext& c) { c.set_output(0, DType::boolean, c.shape(0)); }
void infer_not(InferContext& c) {
  infer_boolean(c);
  const auto* contents = c.contents(0);
  if (!contents || !all_constant(*contents)) return;
  std::vector<Dim> inverted;
  for (const Dim& dim : *contents) inverted.push_back(Dim(dim == Dim(0)));
  c.set_contents(0, std::move(inverted));
}

// `Immediates` gives the two immediates of the ScalarOp from a node's attributes.
using Immediates = std::array<float, 2> (*)(const Node&);
std::array<float, 2> none(const Node&) { return {0.0f, 0.0f}; }
std::array<float, 2> alpha(const Node& n) { return {static_cast<float>(n.attributes<AlphaAttributes>().alpha), 0.0f}; }
std::array<float, 2> selu(const Node& n) {
  const auto& a = n.attributes<SeluAttributes>();
  return {static_cast<float>(a.alpha), static_cast<float>(a.gamma)};
}
std::array<float, 2> clip(const Node& n) {
  const auto& a = n.attributes<ClipAttributes>();
  return {static_cast<float>(a.low), static_cast<float>(a.high)};
}
std::array<float, 2> hard_sigmoid(const Node& n) {
  const auto& a = n.attributes<HardSigmoidAttributes>();
  return {static_cast<float>(a.alpha), static_cast<float>(a.beta)};
}
std::array<float, 2> is_inf(const Node& n) {
  const auto& a = n.attributes<IsInfAttributes>();
  return {a.positive ? 1.0f : 0.0f, a.negative ? 1.0f : 0.0f};
}

int64_t apply_integer(ScalarOp op, int64_t x, const Node& node) {
  switch (op) {
    case ScalarOp::abs: return x < 0 ? -x : x;
    case ScalarOp::neg: return -x;
    case ScalarOp::sign: return x > 0 ? 1 : (x < 0 ? -1 : 0);
    case ScalarOp::square: return x * x;
    case ScalarOp::relu: return x > 0 ? x : 0;
    case ScalarOp::logical_not: return x == 0;
    case ScalarOp::clip: {
      const auto& a = node.attributes<ClipAttributes>();
      return static_cast<double>(x) < a.low    ? static_cast<int64_t>(a.low)
             : static_cast<double>(x) > a.high ? static_cast<int64_t>(a.high)
                                               : x;
    }
    case ScalarOp::floor:
    case ScalarOp::ceil:
    case ScalarOp::round:
    case ScalarOp::trunc: return x;
    default: fail(ErrorCode::bad_file, "{} is not defined for integers", node.op().name);
  }
}

template <ScalarOp op, Immediates immediates>
void reference(ReferenceContext& c) {
  const Tensor& x = c.inputs[0];
  const Tensor& y = c.outputs[0];
  const int64_t count = x.count();
  if (!is_float(x.dtype)) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t value = apply_integer(op, element_as_int(x, i), c.node);
      if (y.dtype == DType::i64 || y.dtype == DType::u64) {
        y.as<int64_t>()[i] = value;
      } else {
        set_element(y, i, static_cast<double>(value));
      }
    }
    return;
  }
  const std::array<float, 2> imm = immediates(c.node);
  if (x.dtype == DType::f64) {
    for (int64_t i = 0; i < count; ++i) set_element(y, i, scalar_apply_double(op, x.as<double>()[i], 0, 0, imm.data()));
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    set_element(y, i, scalar_apply(op, static_cast<float>(element_as_double(x, i)), 0, 0, imm.data()));
  }
}

template <ScalarOp op, Immediates immediates>
uint16_t emit(const Node& node, ScalarProgram& program, std::span<const uint16_t> operands) {
  const std::array<float, 2> imm = immediates(node);
  return program.emit(op, operands[0], 0, 0, imm[0], imm[1]);
}

template <typename A, ScalarOp op, Immediates immediates>
OpDef unary(const char* name, void (*infer)(InferContext&)) {
  OpDef def = define_op<A>(name, 1, 1, op_pointwise, infer, reference<op, immediates>);
  def.scalar = emit<op, immediates>;
  return def;
}

}  // namespace

#define NARAE_UNARY_OP(name, Attrs, immediates, infer)                               \
  const OpDef* name##_op() {                                                         \
    static const OpDef def = unary<Attrs, ScalarOp::name, immediates>(#name, infer); \
    return &def;                                                                     \
  }
#define NARAE_PLAIN_UNARY_OP(name) NARAE_UNARY_OP(name, NoAttributes, none, infer_same)
NARAE_PLAIN_UNARY_OP(abs)
NARAE_UNARY_OP(neg, NoAttributes, none, infer_neg)
NARAE_PLAIN_UNARY_OP(sqrt)
NARAE_PLAIN_UNARY_OP(rsqrt)
NARAE_PLAIN_UNARY_OP(reciprocal)
NARAE_PLAIN_UNARY_OP(square)
NARAE_UNARY_OP(floor, NoAttributes, none, infer_rounding)
NARAE_UNARY_OP(ceil, NoAttributes, none, infer_rounding)
NARAE_UNARY_OP(round, NoAttributes, none, infer_rounding)
NARAE_UNARY_OP(trunc, NoAttributes, none, infer_rounding)
NARAE_PLAIN_UNARY_OP(sign)
NARAE_PLAIN_UNARY_OP(exp)
NARAE_PLAIN_UNARY_OP(log)
NARAE_PLAIN_UNARY_OP(log1p)
NARAE_PLAIN_UNARY_OP(expm1)
NARAE_PLAIN_UNARY_OP(sin)
NARAE_PLAIN_UNARY_OP(cos)
NARAE_PLAIN_UNARY_OP(tan)
NARAE_PLAIN_UNARY_OP(asin)
NARAE_PLAIN_UNARY_OP(acos)
NARAE_PLAIN_UNARY_OP(atan)
NARAE_PLAIN_UNARY_OP(sinh)
NARAE_PLAIN_UNARY_OP(cosh)
NARAE_PLAIN_UNARY_OP(asinh)
NARAE_PLAIN_UNARY_OP(acosh)
NARAE_PLAIN_UNARY_OP(atanh)
NARAE_PLAIN_UNARY_OP(tanh)
NARAE_PLAIN_UNARY_OP(sigmoid)
NARAE_PLAIN_UNARY_OP(erf)
NARAE_PLAIN_UNARY_OP(gelu)
NARAE_PLAIN_UNARY_OP(gelu_tanh)
NARAE_PLAIN_UNARY_OP(silu)
NARAE_PLAIN_UNARY_OP(relu)
NARAE_PLAIN_UNARY_OP(softplus)
NARAE_PLAIN_UNARY_OP(softsign)
NARAE_PLAIN_UNARY_OP(mish)
NARAE_PLAIN_UNARY_OP(hard_swish)
NARAE_UNARY_OP(leaky_relu, AlphaAttributes, alpha, infer_same)
NARAE_UNARY_OP(thresholded_relu, AlphaAttributes, alpha, infer_same)
NARAE_UNARY_OP(elu, AlphaAttributes, alpha, infer_same)
NARAE_UNARY_OP(celu, AlphaAttributes, alpha, infer_same)
NARAE_UNARY_OP(selu, SeluAttributes, selu, infer_same)
NARAE_UNARY_OP(clip, ClipAttributes, clip, infer_same)
NARAE_UNARY_OP(hard_sigmoid, HardSigmoidAttributes, hard_sigmoid, infer_same)
NARAE_UNARY_OP(is_nan, NoAttributes, none, infer_boolean)
NARAE_UNARY_OP(is_inf, IsInfAttributes, is_inf, infer_boolean)
NARAE_UNARY_OP(logical_not, NoAttributes, none, infer_not)

}  // namespace narae
