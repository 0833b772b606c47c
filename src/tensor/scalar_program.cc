// SPDX-License-Identifier: Apache-2.0
// Text, checks and the reference evaluation of ScalarProgram. scalar_apply() is the meaning of every op: kernels are
// measured against it, so it favours accuracy over speed.
#include "tensor/scalar_program.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/hash.h"

namespace narae {
namespace {

struct OpRow {
  std::string_view name;
  int operands, immediates;
};
constexpr OpRow op_rows[] = {
#define NARAE_SCALAR_ROW(name, operands, immediates) {#name, operands, immediates},
    NARAE_SCALAR_OPS(NARAE_SCALAR_ROW)
#undef NARAE_SCALAR_ROW
};
const OpRow& op_row(ScalarOp op) { return op_rows[static_cast<int>(op)]; }

double erf_gelu(double x) { return 0.5 * x * std::erfc(-x * 0.70710678118654752440); }
double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double min_nan(double a, double b) { return a < b || std::isnan(a) ? a : b; }
double max_nan(double a, double b) { return a > b || std::isnan(a) ? a : b; }
double clip(double x, double low, double high) { return std::isnan(x) ? x : std::fmin(std::fmax(x, low), high); }
double python_mod(double a, double b) {
  const double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

double apply_unary(ScalarOp op, double a, double p, double q) {
  switch (op) {
    case ScalarOp::constant: return p;
    case ScalarOp::copy: return a;
    case ScalarOp::neg: return -a;
    case ScalarOp::abs: return std::fabs(a);
    case ScalarOp::sqrt: return std::sqrt(a);
    case ScalarOp::rsqrt: return 1.0 / std::sqrt(a);
    case ScalarOp::reciprocal: return 1.0 / a;
    case ScalarOp::square: return a * a;
    case ScalarOp::floor: return std::floor(a);
    case ScalarOp::ceil: return std::ceil(a);
    case ScalarOp::round: return std::nearbyint(a);
    case ScalarOp::trunc: return std::trunc(a);
    case ScalarOp::sign: return a > 0 ? 1.0 : a < 0 ? -1.0 : a;
    case ScalarOp::is_nan: return std::isnan(a);
    case ScalarOp::is_inf: return std::isinf(a) && (a > 0 ? p != 0 : q != 0);
    case ScalarOp::logical_not: return a == 0;
    case ScalarOp::exp: return std::exp(a);
    case ScalarOp::log: return std::log(a);
    case ScalarOp::log1p: return std::log1p(a);
    case ScalarOp::expm1: return std::expm1(a);
    case ScalarOp::sin: return std::sin(a);
    case ScalarOp::cos: return std::cos(a);
    case ScalarOp::tan: return std::tan(a);
    case ScalarOp::asin: return std::asin(a);
    case ScalarOp::acos: return std::acos(a);
    case ScalarOp::atan: return std::atan(a);
    case ScalarOp::sinh: return std::sinh(a);
    case ScalarOp::cosh: return std::cosh(a);
    case ScalarOp::asinh: return std::asinh(a);
    case ScalarOp::acosh: return std::acosh(a);
    case ScalarOp::atanh: return std::atanh(a);
    case ScalarOp::tanh: return std::tanh(a);
    case ScalarOp::sigmoid: return sigmoid(a);
    case ScalarOp::erf: return std::erf(a);
    case ScalarOp::gelu: return a == -std::numeric_limits<double>::infinity() ? 0.0 : erf_gelu(a);
    case ScalarOp::gelu_tanh: {
      // 0.5 x (1 + tanh u) written as x sigmoid(2u), which keeps the small values at negative x.
      const double u = 0.79788456080286535588 * (a + 0.044715 * a * a * a);
      return a == -std::numeric_limits<double>::infinity() ? 0.0 : a * sigmoid(2.0 * u);
    }
    case ScalarOp::silu: return a == -std::numeric_limits<double>::infinity() ? 0.0 : a * sigmoid(a);
    case ScalarOp::relu: return max_nan(a, 0.0);
    case ScalarOp::softplus: return softplus(a);
    case ScalarOp::softsign: return a / (1.0 + std::fabs(a));
    case ScalarOp::mish: return a == -std::numeric_limits<double>::infinity() ? 0.0 : a * std::tanh(softplus(a));
    case ScalarOp::leaky_relu: return a < 0 ? a * p : a;
    case ScalarOp::thresholded_relu: return a > p ? a : std::isnan(a) ? a : 0.0;
    case ScalarOp::elu: return a < 0 ? p * std::expm1(a) : a;
    case ScalarOp::celu: return a < 0 ? p * std::expm1(a / p) : a;
    case ScalarOp::selu: return a > 0 ? q * a : q * p * std::expm1(a);
    case ScalarOp::clip: return clip(a, p, q);
    case ScalarOp::hard_sigmoid: return clip(p * a + q, 0.0, 1.0);
    case ScalarOp::hard_swish: return a * clip(a / 6.0 + 0.5, 0.0, 1.0);
    default: return std::numeric_limits<double>::quiet_NaN();
  }
}

double apply_wide(ScalarOp op, double a, double b, double c) {
  switch (op) {
    case ScalarOp::add: return a + b;
    case ScalarOp::sub: return a - b;
    case ScalarOp::mul: return a * b;
    case ScalarOp::div: return a / b;
    case ScalarOp::min: return min_nan(a, b);
    case ScalarOp::max: return max_nan(a, b);
    case ScalarOp::pow: return std::pow(a, b);
    case ScalarOp::mod: return python_mod(a, b);
    case ScalarOp::fmod: return std::fmod(a, b);
    case ScalarOp::lt: return a < b;
    case ScalarOp::le: return a <= b;
    case ScalarOp::gt: return a > b;
    case ScalarOp::ge: return a >= b;
    case ScalarOp::eq: return a == b;
    case ScalarOp::ne: return a != b;
    case ScalarOp::logical_and: return a != 0 && b != 0;
    case ScalarOp::logical_or: return a != 0 || b != 0;
    case ScalarOp::logical_xor: return (a != 0) != (b != 0);
    case ScalarOp::prelu: return a < 0 ? a * b : a;
    case ScalarOp::select: return a != 0 ? b : c;
    case ScalarOp::fma: return a * b + c;
    default: return std::numeric_limits<double>::quiet_NaN();
  }
}

float reduce_row(ScalarOp op, const float* row, int64_t n) {
  double sum = 0;
  float low = std::numeric_limits<float>::infinity(), high = -low;
  for (int64_t i = 0; i < n; i++) {
    sum += row[i];
    low = static_cast<float>(min_nan(low, row[i]));
    high = static_cast<float>(max_nan(high, row[i]));
  }
  switch (op) {
    case ScalarOp::row_sum: return static_cast<float>(sum);
    case ScalarOp::row_mean: return static_cast<float>(sum / static_cast<double>(n));
    case ScalarOp::row_max: return high;
    default: return low;
  }
}

uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

}  // namespace

std::string_view scalar_op_name(ScalarOp op) { return op_row(op).name; }
int scalar_op_operands(ScalarOp op) { return op_row(op).operands; }
int scalar_op_immediates(ScalarOp op) { return op_row(op).immediates; }

std::string_view scalar_class_name(ScalarClass c) {
  constexpr std::string_view names[] = {"scalar", "row", "column", "full"};
  return names[static_cast<int>(c)];
}

std::string_view scalar_type_name(ScalarType type) {
  constexpr std::string_view names[] = {"f32", "f16", "bf16", "i32", "i64", "i8", "u8", "bool"};
  return names[static_cast<int>(type)];
}

size_t scalar_type_bytes(ScalarType type) {
  constexpr size_t bytes[] = {4, 2, 2, 4, 8, 1, 1, 1};
  return bytes[static_cast<int>(type)];
}

bool ScalarInstr::operator==(const ScalarInstr& other) const {
  return op == other.op && dst == other.dst && a == other.a && b == other.b && c == other.c &&
         bits_of(imm[0]) == bits_of(other.imm[0]) && bits_of(imm[1]) == bits_of(other.imm[1]);
}

uint64_t ScalarProgram::hash() const {
  uint64_t h = hash_combine(inputs.size(), outputs.size());
  for (const auto& in : inputs)
    h = hash_combine(h, static_cast<uint64_t>(in.broadcast) * 16 + static_cast<uint64_t>(in.type));
  for (const auto& i : body) {
    // By name, so that the hash survives a new op in the middle of the list.
    h = hash_combine(h, hash_string(scalar_op_name(i.op)));
    h = hash_combine(h, (static_cast<uint64_t>(i.a) << 32) | (static_cast<uint64_t>(i.b) << 16) | i.c);
    h = hash_combine(h, (static_cast<uint64_t>(bits_of(i.imm[0])) << 32) | bits_of(i.imm[1]));
  }
  for (const auto& out : outputs) h = hash_combine(h, out.reg * 16ULL + static_cast<uint64_t>(out.type));
  return h;
}

uint16_t ScalarProgram::input(ScalarClass broadcast, ScalarType type) {
  NARAE_CHECK(body.empty());
  inputs.push_back({broadcast, type});
  return static_cast<uint16_t>(inputs.size() - 1);
}

uint16_t ScalarProgram::constant(float value) { return emit(ScalarOp::constant, 0, 0, 0, value); }

uint16_t ScalarProgram::emit(ScalarOp op, uint16_t a, uint16_t b, uint16_t c, float imm0, float imm1) {
  ScalarInstr instr;
  instr.op = op;
  instr.dst = static_cast<uint16_t>(register_count());
  instr.a = a, instr.b = b, instr.c = c;
  instr.imm[0] = imm0, instr.imm[1] = imm1;
  body.push_back(instr);
  return instr.dst;
}

std::string scalar_program_error(const ScalarProgram& program) {
  for (size_t i = 0; i < program.body.size(); i++) {
    const ScalarInstr& instr = program.body[i];
    if (static_cast<int>(instr.op) >= scalar_op_count) return fmt::format("instruction {} has no such op", i);
    if (instr.dst != program.inputs.size() + i)
      return fmt::format("instruction {} ({}) writes r{}, not r{}", i, scalar_op_name(instr.op), instr.dst,
                         program.inputs.size() + i);
    const uint16_t regs[] = {instr.a, instr.b, instr.c};
    for (int k = 0; k < 3; k++) {
      const bool read = k < scalar_op_operands(instr.op);
      if (read && regs[k] >= instr.dst)
        return fmt::format("instruction {} ({}) reads r{} before it is written", i, scalar_op_name(instr.op), regs[k]);
      if (!read && regs[k] != 0)
        return fmt::format("instruction {} ({}) names an operand too many", i, scalar_op_name(instr.op));
    }
  }
  if (program.outputs.empty()) return "the program has no output";
  for (const auto& out : program.outputs)
    if (out.reg >= program.register_count()) return fmt::format("output r{} is not written", out.reg);
  return "";
}

bool has_row_reduction(const ScalarProgram& program) {
  for (const auto& instr : program.body)
    if (is_row_reduction(instr.op)) return true;
  return false;
}

double scalar_program_flops(const ScalarProgram& program) {
  double flops = 0;
  for (const auto& instr : program.body) {
    if (instr.op == ScalarOp::constant) continue;
    if (instr.op == ScalarOp::pow)
      flops += 40;
    else if (instr.op >= ScalarOp::exp && instr.op <= ScalarOp::mish && instr.op != ScalarOp::relu)
      flops += 12;
    else
      flops += instr.op == ScalarOp::div || instr.op == ScalarOp::fma ? 2 : 1;
  }
  return flops;
}

std::string print(const ScalarProgram& program) {
  std::string text;
  for (size_t i = 0; i < program.inputs.size(); i++)
    text += fmt::format("r{} = input {} {}\n", i, scalar_class_name(program.inputs[i].broadcast),
                        scalar_type_name(program.inputs[i].type));
  for (const auto& instr : program.body) {
    text += fmt::format("r{} = {}", instr.dst, scalar_op_name(instr.op));
    const uint16_t regs[] = {instr.a, instr.b, instr.c};
    for (int k = 0; k < scalar_op_operands(instr.op); k++) text += fmt::format(" r{}", regs[k]);
    const int immediates = scalar_op_immediates(instr.op);
    if (immediates == 1) text += fmt::format(" [{}]", instr.imm[0]);
    if (immediates == 2) text += fmt::format(" [{}, {}]", instr.imm[0], instr.imm[1]);
    text += '\n';
  }
  for (const auto& out : program.outputs) text += fmt::format("output r{} {}\n", out.reg, scalar_type_name(out.type));
  return text;
}

double scalar_apply_double(ScalarOp op, double a, double b, double c, const float imm[2]) {
  if (op_row(op).operands >= 2) return apply_wide(op, a, b, c);
  return apply_unary(op, a, imm[0], imm[1]);
}

float scalar_apply(ScalarOp op, float a, float b, float c, const float imm[2]) {
  return static_cast<float>(scalar_apply_double(op, a, b, c, imm));
}

void evaluate_row(const ScalarProgram& program, int64_t n, const ScalarOperand* inputs, float* const* outputs) {
  std::vector<std::vector<float>> regs(static_cast<size_t>(program.register_count()),
                                       std::vector<float>(static_cast<size_t>(n)));
  for (size_t i = 0; i < program.inputs.size(); i++)
    for (int64_t j = 0; j < n; j++) regs[i][j] = inputs[i].data[j * inputs[i].step];
  for (const auto& instr : program.body) {
    auto& dst = regs[instr.dst];
    if (is_row_reduction(instr.op)) {
      dst.assign(dst.size(), reduce_row(instr.op, regs[instr.a].data(), n));
      continue;
    }
    // An op without operands may stand in a program without registers.
    const float* zero = dst.data();
    const int operands = scalar_op_operands(instr.op);
    const float* a = operands > 0 ? regs[instr.a].data() : zero;
    const float* b = operands > 1 ? regs[instr.b].data() : zero;
    const float* c = operands > 2 ? regs[instr.c].data() : zero;
    for (int64_t j = 0; j < n; j++) dst[j] = scalar_apply(instr.op, a[j], b[j], c[j], instr.imm);
  }
  for (size_t k = 0; k < program.outputs.size(); k++)
    for (int64_t j = 0; j < n; j++) outputs[k][j] = regs[program.outputs[k].reg][j];
}

}  // namespace narae
