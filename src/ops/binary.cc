// SPDX-License-Identifier: Apache-2.0
// Binary pointwise ops with numpy broadcasting. Both operands have one type; compares and logic give boolean. Contents
// of small values are carried through arithmetic, and through compares where they decide them, so that shape arithmetic
// never runs.
#include "ops/contents.h"
#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

// One element of the result's contents; false: not known.
using ContentRule = bool (*)(const Dim& a, const Dim& b, DType dtype, Dim& result);

void carry_contents(InferContext& c, ContentRule rule) {
  size_t count;
  std::vector<Dim> a, b, contents;
  if ((!c.contents(0) && !c.contents(1)) || !countable(c.node().output()->shape(), count)) return;
  if (!known_contents(c, 0, a) || !known_contents(c, 1, b)) return;
  for (size_t i = 0; i < count; ++i) {
    const Dim &x = content_at(a, i), &y = content_at(b, i);
    Dim result;
    if (!modest(x) || !modest(y) || !rule(x, y, c.dtype(0), result)) return;
    if (!content_fits(result, c.node().output()->dtype())) return;
    contents.push_back(std::move(result));
  }
  c.set_contents(0, std::move(contents));
}

bool add_contents(const Dim& a, const Dim& b, DType, Dim& result) { return result = a + b, true; }
bool sub_contents(const Dim& a, const Dim& b, DType, Dim& result) { return result = a - b, true; }
bool min_contents(const Dim& a, const Dim& b, DType, Dim& result) { return result = min(a, b), true; }
bool max_contents(const Dim& a, const Dim& b, DType, Dim& result) { return result = max(a, b), true; }
bool mul_contents(const Dim& a, const Dim& b, DType, Dim& result) {
  result = a * b;
  return modest(result);  // products saturate
}
// ONNX divides integers towards zero, floordiv downwards: the same where nothing is negative. Floats must divide
// evenly.
bool div_contents(const Dim& a, const Dim& b, DType dtype, Dim& result) {
  if (b.low() <= 0) return false;
  result = floordiv(a, b);
  return is_float(dtype) ? result * b == a : a.low() >= 0;
}
bool mod_contents(const Dim& a, const Dim& b, DType, Dim& result) {
  if (b.low() <= 0) return false;
  result = a - floordiv(a, b) * b;
  return true;
}
bool fmod_contents(const Dim& a, const Dim& b, DType dtype, Dim& result) {
  return a.low() >= 0 && mod_contents(a, b, dtype, result);
}
template <bool less, bool equal, bool greater>
bool compare_contents(const Dim& a, const Dim& b, DType, Dim& result) {
  const PossibleOrders can = possible_orders(a, b);
  const bool may_hold = (less && can.less) || (equal && can.equal) || (greater && can.greater);
  const bool may_fail = (!less && can.less) || (!equal && can.equal) || (!greater && can.greater);
  if (may_hold == may_fail) return false;
  result = Dim(may_hold);
  return true;
}
template <ScalarOp op>
bool logic_contents(const Dim& a, const Dim& b, DType, Dim& result) {
  if (!a.is_constant() || !b.is_constant()) return false;
  const bool x = a.value(), y = b.value();
  result = Dim(op == ScalarOp::logical_and ? x && y : op == ScalarOp::logical_or ? x || y : x != y);
  return true;
}
constexpr ContentRule lt_contents = compare_contents<true, false, false>;
constexpr ContentRule le_contents = compare_contents<true, true, false>;
constexpr ContentRule gt_contents = compare_contents<false, false, true>;
constexpr ContentRule ge_contents = compare_contents<false, true, true>;
constexpr ContentRule eq_contents = compare_contents<false, true, false>;
constexpr ContentRule ne_contents = compare_contents<true, false, true>;
bool no_contents(const Dim&, const Dim&, DType, Dim&) { return false; }

void infer_types(InferContext& c, DType result) {
  if (c.dtype(0) != c.dtype(1)) {
    fail(ErrorCode::bad_file, "operands are {} and {}; both must have one type", dtype_name(c.dtype(0)),
         dtype_name(c.dtype(1)));
  }
  c.set_output(0, result, c.broadcast(c.shape(0), c.shape(1)));
}

template <ContentRule rule>
void infer_arithmetic(InferContext& c) {
  infer_types(c, c.dtype(0));
  if (c.dtype(0) != DType::boolean) carry_contents(c, rule);
}
template <ContentRule rule>
void infer_boolean(InferContext& c) {
  infer_types(c, DType::boolean);
  carry_contents(c, rule);
}

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
    case ScalarOp::fmod: return b == 0 || b == -1 ? 0 : (is_unsigned ? static_cast<int64_t>(ua % ub) : a % b);
    case ScalarOp::mod: {
      if (b == 0 || (b == -1 && !is_unsigned)) return 0;
      if (is_unsigned) return static_cast<int64_t>(ua % ub);
      const int64_t rest = a % b;
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    case ScalarOp::prelu: return a < 0 ? static_cast<int64_t>(ua * ub) : a;
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
      set_element(y, i,
                  scalar_apply(op, static_cast<float>(element_as_double(a, at_a)),
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

}  // namespace

#define NARAE_BINARY_OP(name, infer, traits)                               \
  const OpDef* name##_op() {                                               \
    static const OpDef def = binary<ScalarOp::name>(#name, infer, traits); \
    return &def;                                                           \
  }
NARAE_BINARY_OP(add, infer_arithmetic<add_contents>, op_commutative)
NARAE_BINARY_OP(sub, infer_arithmetic<sub_contents>, 0)
NARAE_BINARY_OP(mul, infer_arithmetic<mul_contents>, op_commutative)
NARAE_BINARY_OP(div, infer_arithmetic<div_contents>, 0)
NARAE_BINARY_OP(min, infer_arithmetic<min_contents>, op_commutative)
NARAE_BINARY_OP(max, infer_arithmetic<max_contents>, op_commutative)
NARAE_BINARY_OP(pow, infer_arithmetic<no_contents>, 0)
NARAE_BINARY_OP(mod, infer_arithmetic<mod_contents>, 0)
NARAE_BINARY_OP(fmod, infer_arithmetic<fmod_contents>, 0)
NARAE_BINARY_OP(prelu, infer_arithmetic<no_contents>, 0)
NARAE_BINARY_OP(lt, infer_boolean<lt_contents>, 0)
NARAE_BINARY_OP(le, infer_boolean<le_contents>, 0)
NARAE_BINARY_OP(gt, infer_boolean<gt_contents>, 0)
NARAE_BINARY_OP(ge, infer_boolean<ge_contents>, 0)
NARAE_BINARY_OP(eq, infer_boolean<eq_contents>, op_commutative)
NARAE_BINARY_OP(ne, infer_boolean<ne_contents>, op_commutative)
NARAE_BINARY_OP(logical_and, infer_boolean<logic_contents<ScalarOp::logical_and>>, op_commutative)
NARAE_BINARY_OP(logical_or, infer_boolean<logic_contents<ScalarOp::logical_or>>, op_commutative)
NARAE_BINARY_OP(logical_xor, infer_boolean<logic_contents<ScalarOp::logical_xor>>, op_commutative)

}  // namespace narae
