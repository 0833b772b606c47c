// SPDX-License-Identifier: Apache-2.0
// What every kernel text begins with, and one expression for each op of a ScalarProgram. scalar_apply() is what each
// must agree with, up to rounding.
#include <cmath>

#include "backend/cuda/scalar_text.h"
#include "base/error.h"

namespace narae::cuda {
namespace {

constexpr const char* prelude = R"(
typedef float f32; struct f16 { unsigned short v; }; struct bf16 { unsigned short v; };
typedef int i32; typedef long long i64; typedef signed char i8; typedef unsigned char u8;
struct boolean { unsigned char v; };
typedef unsigned char raw1; typedef unsigned short raw2; typedef unsigned int raw4; typedef unsigned long long raw8;
template <class T, int N> struct alignas(sizeof(T) * N) Pack { T v[N]; };
__device__ __forceinline__ void let_successor_begin() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}
__device__ __forceinline__ float inf() { return __int_as_float(0x7f800000); }
__device__ __forceinline__ float load(f32 x) { return x; }
__device__ __forceinline__ float load(f16 x) { float y; asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.v)); return y; }
__device__ __forceinline__ float load(bf16 x) { return __int_as_float(static_cast<int>(x.v) << 16); }
__device__ __forceinline__ float load(i32 x) { return static_cast<float>(x); }
__device__ __forceinline__ float load(i64 x) { return static_cast<float>(x); }
__device__ __forceinline__ float load(i8 x) { return static_cast<float>(x); }
__device__ __forceinline__ float load(u8 x) { return static_cast<float>(x); }
__device__ __forceinline__ float load(boolean x) { return x.v ? 1.0f : 0.0f; }
__device__ __forceinline__ void store(f32& y, float x) { y = x; }
__device__ __forceinline__ void store(f16& y, float x) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.v) : "f"(x)); }
__device__ __forceinline__ void store(bf16& y, float x) { asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.v) : "f"(x)); }
__device__ __forceinline__ void store(i32& y, float x) { y = x != x ? 0 : __float2int_rn(x); }
__device__ __forceinline__ void store(i64& y, float x) {
  y = x != x ? 0 : x >= 9.223372e18f ? 0x7fffffffffffffffLL : x <= -9.223372e18f ? -0x7fffffffffffffffLL - 1
                                                                                   : __float2ll_rn(x);
}
__device__ __forceinline__ void store(i8& y, float x) {
  y = static_cast<i8>(x != x ? 0 : __float2int_rn(fminf(fmaxf(x, -128.0f), 127.0f)));
}
__device__ __forceinline__ void store(u8& y, float x) {
  y = static_cast<u8>(x != x ? 0 : __float2int_rn(fminf(fmaxf(x, 0.0f), 255.0f)));
}
__device__ __forceinline__ void store(boolean& y, float x) { y.v = x != 0.0f; }
__device__ __forceinline__ float s_min(float a, float b) { return a < b || a != a ? a : b; }
__device__ __forceinline__ float s_max(float a, float b) { return a > b || a != a ? a : b; }
__device__ __forceinline__ float s_clip(float x, float l, float h) { return x != x ? x : fminf(fmaxf(x, l), h); }
__device__ __forceinline__ float s_mod(float a, float b) {
  const float r = fmodf(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
__device__ __forceinline__ float s_sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
__device__ __forceinline__ float s_softplus(float x) { return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x)); }
__device__ __forceinline__ float s_gelu(float x) { return x == -inf() ? 0.0f : 0.5f * x * erfcf(-x * 0.70710678118654752f); }
__device__ __forceinline__ float s_gelu_tanh(float x) {
  return x == -inf() ? 0.0f : x * s_sigmoid(1.5957691216057308f * (x + 0.044715f * x * x * x));
}
__device__ __forceinline__ float s_silu(float x) { return x == -inf() ? 0.0f : x * s_sigmoid(x); }
__device__ __forceinline__ float s_mish(float x) { return x == -inf() ? 0.0f : x * tanhf(s_softplus(x)); }
)";

std::string number(float value) {
  if (std::isnan(value)) return "__int_as_float(0x7fc00000)";
  if (std::isinf(value)) return value > 0 ? "inf()" : "(-inf())";
  return fmt::format("({:a}f)", value);
}

std::string binary(const ScalarInstr& instr, const std::string& a, const std::string& b, const std::string& c) {
  const auto truth = [](const std::string& text) { return "(" + text + " ? 1.0f : 0.0f)"; };
  switch (instr.op) {
    case ScalarOp::add: return a + " + " + b;
    case ScalarOp::sub: return a + " - " + b;
    case ScalarOp::mul: return a + " * " + b;
    case ScalarOp::div: return a + " / " + b;
    case ScalarOp::min: return "s_min(" + a + ", " + b + ")";
    case ScalarOp::max: return "s_max(" + a + ", " + b + ")";
    case ScalarOp::pow: return "powf(" + a + ", " + b + ")";
    case ScalarOp::mod: return "s_mod(" + a + ", " + b + ")";
    case ScalarOp::fmod: return "fmodf(" + a + ", " + b + ")";
    case ScalarOp::lt: return truth(a + " < " + b);
    case ScalarOp::le: return truth(a + " <= " + b);
    case ScalarOp::gt: return truth(a + " > " + b);
    case ScalarOp::ge: return truth(a + " >= " + b);
    case ScalarOp::eq: return truth(a + " == " + b);
    case ScalarOp::ne: return truth(a + " != " + b);
    case ScalarOp::logical_and: return truth(a + " != 0.0f && " + b + " != 0.0f");
    case ScalarOp::logical_or: return truth(a + " != 0.0f || " + b + " != 0.0f");
    case ScalarOp::logical_xor: return truth("(" + a + " != 0.0f) != (" + b + " != 0.0f)");
    case ScalarOp::prelu: return a + " < 0.0f ? " + a + " * " + b + " : " + a;
    case ScalarOp::select: return a + " != 0.0f ? " + b + " : " + c;
    case ScalarOp::fma: return "fmaf(" + a + ", " + b + ", " + c + ")";
    default: fail(ErrorCode::internal, "no kernel text for {}", scalar_op_name(instr.op));
  }
}

std::string shaped(const ScalarInstr& instr, const std::string& a) {
  const std::string p = number(instr.imm[0]), q = number(instr.imm[1]);
  switch (instr.op) {
    case ScalarOp::constant: return p;
    case ScalarOp::is_inf:
      return fmt::format("((({0} == inf() && {1} != 0.0f) || ({0} == -inf() && {2} != 0.0f)) ? 1.0f : 0.0f)", a, p, q);
    case ScalarOp::leaky_relu: return fmt::format("{0} < 0.0f ? {0} * {1} : {0}", a, p);
    case ScalarOp::thresholded_relu: return fmt::format("{0} > {1} || {0} != {0} ? {0} : 0.0f", a, p);
    case ScalarOp::elu: return fmt::format("{0} < 0.0f ? {1} * expm1f({0}) : {0}", a, p);
    case ScalarOp::celu: return fmt::format("{0} < 0.0f ? {1} * expm1f({0} / {1}) : {0}", a, p);
    case ScalarOp::selu: return fmt::format("{0} > 0.0f ? {2} * {0} : {2} * {1} * expm1f({0})", a, p, q);
    case ScalarOp::clip: return fmt::format("s_clip({}, {}, {})", a, p, q);
    case ScalarOp::hard_sigmoid: return fmt::format("s_clip({1} * {0} + {2}, 0.0f, 1.0f)", a, p, q);
    default: return {};
  }
}

std::string unary(const ScalarInstr& instr, const std::string& a) {
  switch (instr.op) {
    case ScalarOp::copy: return a;
    case ScalarOp::neg: return "-" + a;
    case ScalarOp::abs: return "fabsf(" + a + ")";
    case ScalarOp::sqrt: return "sqrtf(" + a + ")";
    case ScalarOp::rsqrt: return "1.0f / sqrtf(" + a + ")";
    case ScalarOp::reciprocal: return "1.0f / " + a;
    case ScalarOp::square: return a + " * " + a;
    case ScalarOp::floor: return "floorf(" + a + ")";
    case ScalarOp::ceil: return "ceilf(" + a + ")";
    case ScalarOp::round: return "rintf(" + a + ")";
    case ScalarOp::trunc: return "truncf(" + a + ")";
    case ScalarOp::sign: return fmt::format("{0} > 0.0f ? 1.0f : {0} < 0.0f ? -1.0f : {0}", a);
    case ScalarOp::is_nan: return fmt::format("({0} != {0} ? 1.0f : 0.0f)", a);
    case ScalarOp::logical_not: return "(" + a + " == 0.0f ? 1.0f : 0.0f)";
    case ScalarOp::relu: return "s_max(" + a + ", 0.0f)";
    case ScalarOp::softsign: return fmt::format("{0} / (1.0f + fabsf({0}))", a);
    case ScalarOp::hard_swish: return fmt::format("{0} * s_clip({0} / 6.0f + 0.5f, 0.0f, 1.0f)", a);
    case ScalarOp::sigmoid:
    case ScalarOp::softplus:
    case ScalarOp::gelu:
    case ScalarOp::gelu_tanh:
    case ScalarOp::silu:
    case ScalarOp::mish: return fmt::format("s_{}({})", scalar_op_name(instr.op), a);
    default: return fmt::format("{}f({})", scalar_op_name(instr.op), a);  // the C library's name
  }
}

}  // namespace

const char* scalar_prelude() { return prelude; }

const char* scalar_type_text(ScalarType type) {
  return type == ScalarType::boolean ? "boolean" : scalar_type_name(type).data();
}

std::string scalar_expression(const ScalarInstr& instr, const std::string& a, const std::string& b,
                              const std::string& c) {
  if (scalar_op_operands(instr.op) >= 2) return binary(instr, a, b, c);
  const std::string special = shaped(instr, a);
  return special.empty() ? unary(instr, a) : special;
}

}  // namespace narae::cuda
