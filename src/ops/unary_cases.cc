// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "ops/op_case.h"
#include "ops/unary.h"

namespace narae {
namespace {

struct Domain {
  const char* op;
  double low, high;
};

// Where each function is defined; the range is sampled evenly.
constexpr Domain domains[] = {
    {"abs", -3, 3},       {"neg", -3, 3},       {"sqrt", 0, 9},     {"rsqrt", 0.1, 9},   {"reciprocal", 0.1, 4},
    {"square", -3, 3},    {"floor", -4, 4},     {"ceil", -4, 4},    {"round", -4, 4},    {"trunc", -4, 4},
    {"sign", -2, 2},      {"exp", -8, 8},       {"log", 0.01, 9},   {"log1p", -0.9, 9},  {"expm1", -4, 4},
    {"sin", -6, 6},       {"cos", -6, 6},       {"tan", -1.4, 1.4}, {"asin", -1, 1},     {"acos", -1, 1},
    {"atan", -9, 9},      {"sinh", -4, 4},      {"cosh", -4, 4},    {"asinh", -9, 9},    {"acosh", 1, 9},
    {"atanh", -0.9, 0.9}, {"tanh", -6, 6},      {"sigmoid", -9, 9}, {"erf", -4, 4},      {"gelu", -6, 6},
    {"gelu_tanh", -6, 6}, {"silu", -9, 9},      {"relu", -3, 3},    {"softplus", -9, 9}, {"softsign", -9, 9},
    {"mish", -9, 9},      {"hard_swish", -5, 5}};

template <typename T>
void add_with(std::vector<OpCase>& cases, const char* op, T attributes, double low = -6, double high = 6) {
  const Attributes box = make_attributes(attributes);
  cases.push_back({op, "f32", box, {uniform({2, 3, 37}, low, high)}});
  cases.push_back({op, "f32_scalar", box, {uniform({}, low, high)}});
  cases.push_back({op, "f32_rank5", box, {uniform({2, 1, 3, 2, 3}, low, high)}});
  cases.push_back({op, "f32_empty", box, {uniform({2, 0, 3}, low, high)}});
  cases.push_back({op, "f16", box, {uniform({67}, low, high, DType::f16)}, 1, 1e-3});
  cases.push_back({op, "bf16", box, {uniform({5, 3}, low, high, DType::bf16)}, 1, 1e-2});
  cases.push_back({op, "f64", box, {uniform({1, 9}, low, high, DType::f64)}});
}

void add_integer_cases(std::vector<OpCase>& cases) {
  for (const char* op : {"abs", "neg", "sign", "square", "relu", "floor", "ceil", "round", "trunc"}) {
    cases.push_back({op, "i64", {}, {integers(DType::i64, {3, 11}, -9, 9)}});
    cases.push_back({op, "i32", {}, {integers(DType::i32, {7}, -9, 9)}});
  }
  cases.push_back({"abs", "i8_values", {}, {given(DType::i8, {4}, {-3, 0, 2, -127})}, 1, 0, {{3, 0, 2, 127}}});
  cases.push_back({"clip", "i32", make_attributes(ClipAttributes{-2.0, 3.0}), {integers(DType::i32, {33}, -9, 9)}});
  OpCase contents{"neg", "contents", {}, {given(DType::i64, {3}, {2, 5, -1}).with_contents()}, 1, 0, {{-2, -5, 1}}};
  contents.carries_contents = true;
  cases.push_back(contents);
}

}  // namespace

void add_unary_cases(std::vector<OpCase>& cases) {
  for (const Domain& domain : domains) add_with(cases, domain.op, NoAttributes{}, domain.low, domain.high);
  add_with(cases, "leaky_relu", AlphaAttributes{0.1});
  add_with(cases, "thresholded_relu", AlphaAttributes{1.0});
  add_with(cases, "elu", AlphaAttributes{1.5});
  add_with(cases, "celu", AlphaAttributes{2.0});
  add_with(cases, "selu", SeluAttributes{});
  add_with(cases, "clip", ClipAttributes{-1.0, 2.5});
  add_with(cases, "hard_sigmoid", HardSigmoidAttributes{0.25, 0.4});
  constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const CaseInput special = given(DType::f32, {5}, {1.0, infinity, -infinity, nan, 0.0});
  cases.push_back({"is_nan", "f32", {}, {special}, 1, 0, {{0, 0, 0, 1, 0}}});
  cases.push_back({"is_inf", "both", make_attributes(IsInfAttributes{}), {special}, 1, 0, {{0, 1, 1, 0, 0}}});
  cases.push_back(
      {"is_inf", "negative", make_attributes(IsInfAttributes{false, true}), {special}, 1, 0, {{0, 0, 1, 0, 0}}});
  cases.push_back({"logical_not", "bool", {}, {given(DType::boolean, {2, 2}, {0, 1, 1, 0})}, 1, 0, {{1, 0, 0, 1}}});
  cases.push_back({"round",
                   "halves",
                   {},
                   {given(DType::f32, {6}, {0.5, 1.5, 2.5, -0.5, -1.5, -2.5})},
                   1,
                   0,
                   {{0, 2, 2, 0, -2, -2}}});
  cases.push_back({"relu", "nan", {}, {special}, 1, 0, {{1, infinity, 0, nan, 0}}});
  add_integer_cases(cases);
}

}  // namespace narae
