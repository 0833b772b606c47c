// SPDX-License-Identifier: Apache-2.0
// Cases of convolutions: channel tails, groups, strides, dilation, epilogues in registers and as programs.
#include "backend/tactic_cases_test.h"
#include "graph/builder.h"
#include "ops/conv.h"
#include "ops/fused.h"
#include "ops/unary.h"

namespace narae {
namespace {

struct ConvCase {
  const char* name;
  int64_t n, ic, oc, h, w, k, stride, pad, dilation, groups;
};
constexpr ConvCase conv_cases[] = {
    {"conv_3x3", 1, 32, 64, 9, 11, 3, 1, 1, 1, 1},          {"conv_3x3_tails", 2, 19, 37, 7, 8, 3, 1, 1, 1, 1},
    {"conv_3x3_stride", 1, 16, 16, 13, 9, 3, 2, 1, 1, 1},   {"conv_5x5_dilated", 1, 16, 24, 14, 13, 5, 1, 4, 2, 1},
    {"conv_1x1", 2, 48, 80, 7, 7, 1, 1, 0, 1, 1},           {"conv_1x1_tails", 1, 21, 35, 5, 6, 1, 1, 0, 1, 1},
    {"conv_1x1_stride", 1, 32, 32, 8, 8, 1, 2, 0, 1, 1},    {"conv_grouped", 1, 64, 64, 8, 8, 3, 1, 1, 1, 2},
    {"conv_first", 1, 3, 32, 16, 18, 3, 2, 1, 1, 1},        {"conv_first_7x7", 1, 3, 20, 23, 21, 7, 2, 3, 1, 1},
    {"conv_depthwise", 1, 32, 32, 9, 9, 3, 1, 1, 1, 32},    {"conv_depthwise_tails", 2, 21, 21, 9, 10, 5, 2, 2, 1, 21},
    {"conv_vector", 1, 64, 40, 1, 1, 1, 1, 0, 1, 1},        {"conv_3x3_wide", 1, 16, 16, 30, 41, 3, 1, 1, 1, 1},
    {"conv_grouped_tails", 2, 18, 34, 7, 8, 3, 1, 1, 1, 2}, {"conv_grouped_1x1", 1, 24, 68, 7, 7, 1, 1, 0, 1, 4},
};

ConvAttributes attributes(const ConvCase& c) {
  return {{c.stride, c.stride}, {c.dilation, c.dilation}, {c.pad, c.pad, c.pad, c.pad}, c.groups};
}

Tensor weights(Dims dims, uint64_t seed) {
  Tensor tensor = Tensor::allocate(DType::f32, std::move(dims));
  fill_normal(tensor, seed);
  return tensor;
}

TacticCase plain_case(const ConvCase& c, bool constant, bool bias) {
  return {std::string(c.name) + (constant ? "" : "_inputs"), [=](const OpTable& ops) {
            auto graph = std::make_unique<Graph>(ops);
            Builder b(*graph);
            std::vector<Value*> operands{graph->add_input("x", DType::f32, {c.n, c.ic, c.h, c.w})};
            const Dims w{c.oc, c.ic / c.groups, c.k, c.k};
            const auto value = [&](const char* name, const Dims& dims) {
              return constant ? graph->add_constant(weights(dims, 3))
                              : graph->add_input(name, DType::f32, to_shape(dims));
            };
            operands.push_back(value("w", w));
            if (bias) operands.push_back(value("b", {c.oc}));
            graph->add_output(b.op("conv", operands, attributes(c)));
            return graph;
          }};
}

// What follows the convolution in a body; `operand` adds an input of the body.
using Operand = std::function<Value*(const char* name, Shape shape)>;
using Epilogue = std::function<Value*(Builder&, Value* y, const Operand& operand)>;

TacticCase body_case(const ConvCase& c, const char* suffix, Epilogue epilogue) {
  return {std::string(c.name) + "_" + suffix, [=](const OpTable& ops) {
            auto body = std::make_unique<Graph>(ops, "body");
            auto graph = std::make_unique<Graph>(ops);
            Builder b(*body);
            std::vector<Value*> operands{graph->add_input("x", DType::f32, {c.n, c.ic, c.h, c.w})};
            Value* x = body->add_input("x", DType::f32, operands[0]->shape());
            operands.push_back(graph->add_constant(weights({c.oc, c.ic / c.groups, c.k, c.k}, 3)));
            Value* w = body->add_input("w", DType::f32, operands[1]->shape());
            Value* y = b.op("conv", {x, w}, attributes(c));
            const Operand operand = [&](const char* name, Shape shape) {
              operands.push_back(name[0] == 'c' ? graph->add_constant(weights(static_dims(shape), 5))
                                                : graph->add_input(name, DType::f32, shape));
              return body->add_input(name, DType::f32, std::move(shape));
            };
            body->add_output(epilogue(b, y, operand));
            Node* node = graph->add_node(ops.get("fused"), make_attributes(FusedAttributes{"contraction"}), operands, 1,
                                         nullptr, std::move(body));
            graph->add_output(node->output(0));
            return graph;
          }};
}

Value* bias_add_relu(Builder& b, Value* y, const Operand& operand) {
  Value* biased = b.op("add", {y, operand("c_bias", {1, y->shape()[1], 1, 1})});
  return b.op("relu", {b.op("add", {operand("residual", y->shape()), biased})});
}
Value* bias_silu(Builder& b, Value* y, const Operand& operand) {
  return b.op("silu", {b.op("add", {y, operand("c_bias", {y->shape()[1], 1, 1})})});
}
Value* clip_high(Builder& b, Value* y, const Operand&) { return b.op("clip", {y}, ClipAttributes{0.25, 6}); }
// Operands of every class: a plane, a gate per image and channel, a scalar, a residual; something of zeros.
Value* every_class(Builder& b, Value* y, const Operand& operand) {
  const Shape& s = y->shape();
  Value* gated = b.op("mul", {y, operand("gate", {s[0], s[1], 1, 1})});
  Value* shifted = b.op("add", {gated, operand("plane", {s[0], 1, s[2], s[3]})});
  Value* scaled = b.op("mul", {b.op("sigmoid", {shifted}), operand("one", {1})});
  return b.op("exp", {b.op("sub", {scaled, operand("residual", s)})});
}

TacticCase transposed_case(const char* name, int64_t ic, int64_t oc, int64_t k, int64_t stride, int64_t pad,
                           int64_t output_padding, int64_t groups) {
  return {name, [=](const OpTable& ops) {
            auto graph = std::make_unique<Graph>(ops);
            Builder b(*graph);
            Value* x = graph->add_input("x", DType::f32, {2, ic, 5, 6});
            Value* w = graph->add_constant(weights({ic, oc / groups, k, k}, 3));
            Value* bias = graph->add_constant(weights({oc}, 4));
            ConvTransposeAttributes a{
                {stride, stride}, {1, 1}, {pad, pad, pad, pad}, {output_padding, output_padding}, groups};
            graph->add_output(b.op("conv_transpose", {x, w, bias}, a));
            return graph;
          }};
}

TacticCase one_axis_case() {
  return {"conv_1d", [](const OpTable& ops) {
            auto graph = std::make_unique<Graph>(ops);
            Builder b(*graph);
            Value* x = graph->add_input("x", DType::f32, {2, 17, 20});
            Value* w = graph->add_constant(weights({33, 17, 3}, 3));
            graph->add_output(b.op("conv", {x, w}, ConvAttributes{{2}, {1}, {1, 0}, 1}));
            return graph;
          }};
}

}  // namespace

void add_conv_cases(std::vector<TacticCase>& cases) {
  for (const ConvCase& c : conv_cases) {
    cases.push_back(plain_case(c, true, true));
    cases.push_back(body_case(c, "bias_add_relu", bias_add_relu));
  }
  for (const size_t i : {0, 1, 5, 8, 10, 11, 14}) {
    const ConvCase& c = conv_cases[i];
    cases.push_back(plain_case(c, false, true));
    cases.push_back(body_case(c, "bias_silu", bias_silu));
    cases.push_back(body_case(c, "clip_high", clip_high));
    cases.push_back(body_case(c, "every_class", every_class));
  }
  cases.push_back(one_axis_case());
  cases.push_back(transposed_case("transposed_2x2", 24, 20, 2, 2, 0, 0, 1));
  cases.push_back(transposed_case("transposed_one_channel", 24, 1, 2, 2, 0, 0, 1));
  cases.push_back(transposed_case("transposed_3x3", 16, 35, 3, 2, 1, 1, 1));
  cases.push_back(transposed_case("transposed_grouped", 32, 32, 4, 2, 1, 0, 2));
  cases.push_back(transposed_case("transposed_grouped_tails", 6, 10, 3, 2, 1, 1, 2));
}

}  // namespace narae
