// SPDX-License-Identifier: Apache-2.0
// Binary pointwise ops with numpy broadcasting. Both operands have one type; compares and logic give boolean. Contents
// of small integer values are carried through add, sub, mul, div, min, max, so shape arithmetic never runs.
#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

using DimRule = Dim (*)(const Dim&, const Dim&);

void carry_contents(InferContext& c, DimRule rule) {
  const auto* a = c.contents(0);
  const auto* b = c.contents(1);
  if (!a || !b || !rule || c.dtype(0) == DType::boolean) return;
  if (a->size() != b->size() && a->size() != 1 && b->size() != 1) return;
  const size_t count = std::max(a->size(), b->size());
  std::vector<Dim> contents;
  for (size_t i = 0; i < count; ++i) {
    contents.push_back(rule((*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]));
  }
  c.set_contents(0, std::move(contents));
}

void infer_types(InferContext& c, DType result) {
  if (c.dtype(0) != c.dtype(1)) {
    fail(ErrorCode::bad_file, "operands are {} and {}; both must have one type", dtype_name(c.dtype(0)),
         dtype_name(c.dtype(1)));
  }
  c.set_output(0, result, c.broadcast(c.shape(0), c.shape(1)));
}

template <DimRule rule>
void infer_arithmetic(InferContext& c) {
  infer_types(c, c.dtype(0));
  carry_contents(c, rule);
}
Dim divide_contents(const Dim& a, const Dim& b) { return floordiv(a, b); }
void infer_div(InferContext& c) {
  infer_types(c, c.dtype(0));
  const auto* a = c.contents(0);
  const auto* b = c.contents(1);
  if (!a || !b) return;
  // ONNX divides integers towards zero, floordiv downwards: the same where nothing is negative.
  for (const Dim& dim : *a) {
    if (dim.low() < 0) return;
  }
  for (const Dim& dim : *b) {
    if (dim.low() <= 0) return;
  }
  carry_contents(c, divide_contents);
}
void infer_plain(InferContext& c) { infer_types(c, c.dtype(0)); }
void infer_compare(InferContext& c) { infer_types(c, DType::boolean); }

int64_t integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : (base == -1 ? (exponent % 2 ? -1 : 1) : 0);
  uint64_t result = 1, factor = static_cast<uint64_t>(base);
  for (; exponent; exponent >>= 1, factor *= factor) {
    if (exponent & 1) result *= factor;
  }
  return static_cast<int64_t>(result);
}

int64_t apply_integer(ScalarOp op, int64_t a, int64_t b, bool is_unsigned) {
  const auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  const bool less = is_unsigned ? ua < ub : a < b;
  switch (op) {
    case ScalarOp::add: return static_cast<int64_t>(ua + ub);
    case ScalarOp::sub: return static_cast<int64_t>(ua - ub);
    case ScalarOp::mul: return static_cast<int64_t>(ua * ub);
    case ScalarOp::div:
      if (b == 0) return 0;  // no defined value; must not trap
      return is_unsigned ? static_cast<int64_t>(ua / ub) : (b == -1 ? static_cast<int64_t>(-ua) : a / b);
    case ScalarOp::min: return less ? a : b;
    case ScalarOp::max: return less ? b : a;
    case ScalarOp::pow: return integer_power(a, b);
    case ScalarOp::fmod:
      return b == 0 || b == -1 ? 0 : (is_unsigned ? static_cast<int64_t>(ua % ub) : a % b);
    case ScalarOp::mod: {
      if (b == 0 || (b == -1 && !is_unsigned)) return 0;
      if (is_unsigned) return static_cast<int64_t>(ua % ub);
      const int64_t rest = a % b;
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    case ScalarOp::prelu: return a < 0 ? a * b : a;
    case ScalarOp::lt: return less;
    case ScalarOp::le: return less || a == b;
    case ScalarOp::gt: return !less && a != b;
    case ScalarOp::ge: return !less;
    case ScalarOp::eq: return a == b;
    case ScalarOp::ne: return a != b;
    case ScalarOp::logical_and: return a && b;
    case ScalarOp::logical_or: return a || b;
    case ScalarOp::logical_xor: return !a != !b;
    default: NARAE_CHECK(false);
  }
  return 0;
}

template <ScalarOp op>
void reference(ReferenceContext& c) {
  const Tensor &a = c.inputs[0], &b = c.inputs[1], &y = c.outputs[0];
  const Dims sa = broadcast_strides(a.dims, y.dims), sb = broadcast_strides(b.dims, y.dims);
  const float imm[2] = {0.0f, 0.0f};
  const bool is_unsigned = a.dtype == DType::u64 || a.dtype == DType::u32;
  for_each_index(y.dims, [&](const Dims& index, int64_t i) {
    const int64_t at_a = offset_of(index, sa), at_b = offset_of(index, sb);
    if (!is_float(a.dtype)) {
      const int64_t value = apply_integer(op, element_as_int(a, at_a), element_as_int(b, at_b), is_unsigned);
      if (y.dtype == DType::i64 || y.dtype == DType::u64) {
        y.as<int64_t>()[i] = value;
      } else if (y.dtype == DType::boolean) {
        y.as<uint8_t>()[i] = value != 0;
      } else {
        visit_storage(y.dtype, [&](auto tag) { y.as<decltype(tag)>()[i] = static_cast<decltype(tag)>(value); });
      }
    } else if (a.dtype == DType::f64) {
      set_element(y, i, scalar_apply_double(op, a.as<double>()[at_a], b.as<double>()[at_b], 0, imm));
    } else {
      set_element(y, i, scalar_apply(op, static_cast<float>(element_as_double(a, at_a)),
                                     static_cast<float>(element_as_double(b, at_b)), 0, imm));
    }
  });
}

template <ScalarOp op>
uint16_t emit(const Node&, ScalarProgram& program, std::span<const uint16_t> operands) {
  return program.emit(op, operands[0], operands[1]);
}

template <ScalarOp op>
OpDef binary(const char* name, void (*infer)(InferContext&), uint32_t traits) {
  OpDef def = define_op<NoAttributes>(name, 2, 2, op_pointwise | traits, infer, reference<op>);
  def.scalar = emit<op>;
  return def;
}

Dim dim_add(const Dim& a, const Dim& b) { return a + b; }
Dim dim_sub(const Dim& a, const Dim& b) { return a - b; }
Dim dim_mul(const Dim& a, const Dim& b) { return a * b; }
Dim dim_min(const Dim& a, const Dim& b) { return min(a, b); }
Dim dim_max(const Dim& a, const Dim& b) { return max(a, b); }

}  // namespace

#define NARAE_BINARY_OP(name, infer, traits)                                    \
  const OpDef* name##_op() {                                                    \
    static const OpDef def = binary<ScalarOp::name>(#name, infer, traits);      \
    return &def;                                                                \
  }
NARAE_BINARY_OP(add, infer_arithmetic<dim_add>, op_commutative)
NARAE_BINARY_OP(sub, infer_arithmetic<dim_sub>, 0)
NARAE_BINARY_OP(mul, infer_arithmetic<dim_mul>, op_commutative)
NARAE_BINARY_OP(div, infer_div, 0)
NARAE_BINARY_OP(min, infer_arithmetic<dim_min>, op_commutative)
NARAE_BINARY_OP(max, infer_arithmetic<dim_max>, op_commutative)
NARAE_BINARY_OP(pow, infer_plain, 0)
NARAE_BINARY_OP(mod, infer_plain, 0)
NARAE_BINARY_OP(fmod, infer_plain, 0)
NARAE_BINARY_OP(prelu, infer_plain, 0)
NARAE_BINARY_OP(lt, infer_compare, 0)
NARAE_BINARY_OP(le, infer_compare, 0)
NARAE_BINARY_OP(gt, infer_compare, 0)
NARAE_BINARY_OP(ge, infer_compare, 0)
NARAE_BINARY_OP(eq, infer_compare, op_commutative)
NARAE_BINARY_OP(ne, infer_compare, op_commutative)
NARAE_BINARY_OP(logical_and, infer_compare, op_commutative)
NARAE_BINARY_OP(logical_or, infer_compare, op_commutative)
NARAE_BINARY_OP(logical_xor, infer_compare, op_commutative)

}  // namespace narae
