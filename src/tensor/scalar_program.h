// SPDX-License-Identifier: Apache-2.0
// A small register program over f32: the one form that pointwise bodies, epilogues and row reductions are lowered to,
// read three ways (the reference below, the CPU interpreter, GPU text). Single assignment: instruction i writes
// register inputs + i, so a register never changes its value; whoever builds one ends with scalar_program_error() ==
// "".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace narae {

// X(name, register operands, immediates). Rounding is half-to-even; min, max, relu and clip hand a NaN on; compares and
// logic give 1 or 0 and take any non-zero value as true. The meaning of each is scalar_apply().
// Macro calls without ends confuse the formatter.
// clang-format off
#define NARAE_SCALAR_OPS(X)                                                                              \
  X(constant, 0, 1)                                                                                      \
  X(copy, 1, 0) X(add, 2, 0) X(sub, 2, 0) X(mul, 2, 0) X(div, 2, 0) X(min, 2, 0) X(max, 2, 0)            \
  X(pow, 2, 0) X(mod, 2, 0) /* sign of the divisor */ X(fmod, 2, 0) /* sign of the dividend */           \
  X(lt, 2, 0) X(le, 2, 0) X(gt, 2, 0) X(ge, 2, 0) X(eq, 2, 0) X(ne, 2, 0)                                \
  X(logical_and, 2, 0) X(logical_or, 2, 0) X(logical_xor, 2, 0) X(prelu, 2, 0) /* a < 0 ? a * b : a */   \
  X(select, 3, 0) /* a ? b : c */ X(fma, 3, 0) /* a * b + c */                                           \
  X(neg, 1, 0) X(abs, 1, 0) X(sqrt, 1, 0) X(rsqrt, 1, 0) X(reciprocal, 1, 0) X(square, 1, 0)             \
  X(floor, 1, 0) X(ceil, 1, 0) X(round, 1, 0) X(trunc, 1, 0) X(sign, 1, 0) X(is_nan, 1, 0)               \
  X(is_inf, 1, 2) /* positive? negative? */ X(logical_not, 1, 0)                                         \
  X(exp, 1, 0) X(log, 1, 0) X(log1p, 1, 0) X(expm1, 1, 0) X(sin, 1, 0) X(cos, 1, 0) X(tan, 1, 0)         \
  X(asin, 1, 0) X(acos, 1, 0) X(atan, 1, 0) X(sinh, 1, 0) X(cosh, 1, 0) X(asinh, 1, 0) X(acosh, 1, 0)    \
  X(atanh, 1, 0) X(tanh, 1, 0) X(sigmoid, 1, 0) X(erf, 1, 0) X(gelu, 1, 0) X(gelu_tanh, 1, 0)            \
  X(silu, 1, 0) X(relu, 1, 0) X(softplus, 1, 0) X(softsign, 1, 0) X(mish, 1, 0) X(leaky_relu, 1, 1)      \
  X(thresholded_relu, 1, 1) X(elu, 1, 1) X(celu, 1, 1) X(selu, 1, 2) /* alpha, gamma */                  \
  X(clip, 1, 2) X(hard_sigmoid, 1, 2) /* clip(alpha x + beta, 0, 1) */ X(hard_swish, 1, 0)               \
  X(row_sum, 1, 0) X(row_mean, 1, 0) X(row_max, 1, 0) X(row_min, 1, 0)
// clang-format on

enum class ScalarOp : uint8_t {
#define NARAE_SCALAR_ENUM(name, operands, immediates) name,
  NARAE_SCALAR_OPS(NARAE_SCALAR_ENUM)
#undef NARAE_SCALAR_ENUM
};
inline constexpr int scalar_op_count = static_cast<int>(ScalarOp::row_min) + 1;

std::string_view scalar_op_name(ScalarOp op);
int scalar_op_operands(ScalarOp op);
int scalar_op_immediates(ScalarOp op);
// row_sum and its like: they read a whole row (the innermost extent) and give one value per row.
inline bool is_row_reduction(ScalarOp op) { return op >= ScalarOp::row_sum; }

// How a value of the program varies over a tile of rows x columns.
enum class ScalarClass : uint8_t {
  scalar,  // one value
  row,     // one per row
  column,  // one per column, the same in every row (a bias over the last axis)
  full,
};
std::string_view scalar_class_name(ScalarClass c);

// What an input or output is stored as; inside the program all is f32. boolean: a byte, 0 or 1 when written.
// Integers are converted through f32 (exact up to 2^24), rounded half-to-even and saturated when written, NaN as 0.
enum class ScalarType : uint8_t { f32, f16, bf16, i32, i64, i8, u8, boolean };
std::string_view scalar_type_name(ScalarType type);
size_t scalar_type_bytes(ScalarType type);

struct ScalarInput {
  ScalarClass broadcast = ScalarClass::full;
  ScalarType type = ScalarType::f32;
  bool operator==(const ScalarInput&) const = default;
};

struct ScalarOutput {
  uint16_t reg = 0;
  ScalarType type = ScalarType::f32;
  bool operator==(const ScalarOutput&) const = default;
};

struct ScalarInstr {
  ScalarOp op = ScalarOp::copy;
  uint16_t dst = 0;
  uint16_t a = 0, b = 0, c = 0;  // registers; those that the op does not read are 0
  float imm[2] = {0.0f, 0.0f};
  bool operator==(const ScalarInstr& other) const;  // immediates by bits
};

// Registers 0 .. inputs - 1 hold the inputs, register inputs + i the result of body[i].
struct ScalarProgram {
  std::vector<ScalarInput> inputs;
  std::vector<ScalarInstr> body;
  std::vector<ScalarOutput> outputs;

  bool operator==(const ScalarProgram&) const = default;
  uint64_t hash() const;
  int register_count() const { return static_cast<int>(inputs.size() + body.size()); }

  // Building; each returns the new register. Inputs come before the first instruction.
  uint16_t input(ScalarClass broadcast = ScalarClass::full, ScalarType type = ScalarType::f32);
  uint16_t constant(float value);
  uint16_t emit(ScalarOp op, uint16_t a, uint16_t b = 0, uint16_t c = 0, float imm0 = 0.0f, float imm1 = 0.0f);
  void output(uint16_t reg, ScalarType type = ScalarType::f32) { outputs.push_back({reg, type}); }
};

// Empty when the program is well formed, else what is wrong with it.
std::string scalar_program_error(const ScalarProgram& program);
bool has_row_reduction(const ScalarProgram& program);
// Multiplications, additions and the like per element, about 10 for each transcendental: for cost models only.
double scalar_program_flops(const ScalarProgram& program);
// One line per input, instruction and output, such as `r2 = clip r1 [0, 6]`.
std::string print(const ScalarProgram& program);

// The definition of a pointwise op: computed in double precision by libm, rounded once. Row reductions give NaN here.
float scalar_apply(ScalarOp op, float a, float b, float c, const float imm[2]);
// The same before the final rounding.
double scalar_apply_double(ScalarOp op, double a, double b, double c, const float imm[2]);

// The definition of a program over one row of `n` elements, all f32. inputs[i] is read at data[j * step] (step 0: one
// value for the row); outputs[k] gets n values, or n equal ones for a row's value.
struct ScalarOperand {
  const float* data = nullptr;
  ptrdiff_t step = 1;
};
void evaluate_row(const ScalarProgram& program, int64_t n, const ScalarOperand* inputs, float* const* outputs);

}  // namespace narae
