// SPDX-License-Identifier: Apache-2.0
#include "graph/builder.h"
#include "ops/fused.h"
#include "ops/matmul.h"
#include "ops/op_case.h"

namespace narae {
namespace {

std::unique_ptr<Graph> pointwise_body(const OpTable& ops) {
  auto body = std::make_unique<Graph>(ops, "body");
  Value* a = body->add_input("a", DType::f32, {3, 5});
  Value* b = body->add_input("b", DType::f32, {5});
  Builder builder(*body);
  Value* sum = builder.op("add", {a, b});
  body->add_output(builder.op("relu", {sum}), "y");
  body->add_output(sum, "sum");
  return body;
}

std::unique_ptr<Graph> contraction_body(const OpTable& ops) {
  auto body = std::make_unique<Graph>(ops, "body");
  Value* x = body->add_input("x", DType::f32, {4, 7});
  Value* w = body->add_input("w", DType::f32, {7, 9});
  Value* bias = body->add_input("bias", DType::f32, {9});
  Builder builder(*body);
  Value* y = builder.op("matmul", {x, w}, MatmulAttributes{});
  body->add_output(builder.op("relu", {builder.op("add", {y, bias})}), "y");
  return body;
}

}  // namespace

void add_fused_cases(std::vector<OpCase>& cases) {
  auto add = [&](const char* name, const char* kind, std::vector<CaseInput> inputs, int outputs, auto body) {
    cases.push_back({"fused", name, make_attributes(FusedAttributes{kind}), std::move(inputs), outputs});
    cases.back().body = body;
    cases.back().fixed_shapes = true;
  };
  add("pointwise", "pointwise", {normal({3, 5}), normal({5})}, 2, pointwise_body);
  add("contraction", "contraction", {normal({4, 7}), normal({7, 9}).as_constant(), normal({9}).as_constant()}, 1,
      contraction_body);
}

}  // namespace narae
