// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include "graph/builder.h"
#include "ops/fused.h"
#include "ops/layer_norm.h"
#include "ops/matmul.h"
#include "ops/op_case.h"
#include "ops/rope.h"

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

// A sum and its norm.
std::unique_ptr<Graph> residual_body(const OpTable& ops, const char* norm, int64_t width) {
  auto body = std::make_unique<Graph>(ops, "body");
  Value* x = body->add_input("x", DType::f32, to_shape({5, width}));
  Value* branch = body->add_input("branch", DType::f32, to_shape({5, width}));
  std::vector<Value*> operands{nullptr, body->add_input("scale", DType::f32, to_shape({width}))};
  if (std::string(norm) == "layer_norm") operands.push_back(body->add_input("bias", DType::f32, to_shape({width})));
  Builder builder(*body);
  operands[0] = builder.op("add", {x, branch});
  body->add_output(operands[0], "sum");
  body->add_output(builder.op(norm, operands, LayerNormAttributes{1, 1e-5}), "y");
  return body;
}

// Queries and keys turned, keys and values written to their places in states of `kept`.
std::unique_ptr<Graph> rope_kv_body(const OpTable& ops, DType kept, bool interleaved, int64_t rows, int64_t pairs) {
  auto body = std::make_unique<Graph>(ops, "body");
  const auto f32 = [&](const char* name, Shape shape) { return body->add_input(name, DType::f32, std::move(shape)); };
  Value* q = f32("q", to_shape({rows, 4, 20}));
  Value* positions = body->add_input("positions", DType::i32, to_shape({rows}));
  Value* frequencies = f32("frequencies", to_shape({pairs}));
  Value* k = f32("k", to_shape({rows, 2, 20}));
  Value* k_state = body->add_input("k_state", kept, {9, 2, 20});
  Value* places = body->add_input("places", DType::i32, to_shape({rows}));
  Value* v_state = body->add_input("v_state", kept, {9, 2, 20});
  Value* v = f32("v", to_shape({rows, 2, 20}));
  Builder builder(*body);
  const auto turned = [&](Value* x) {
    return builder.op("rope", {x, positions, frequencies}, RopeAttributes{interleaved, 1.25});
  };
  Value* turned_q = turned(q);
  Value* keys = builder.op("kv_write", {k_state, turned(k), places});
  body->add_output(turned_q, "q");
  body->add_output(keys, "k");
  body->add_output(builder.op("kv_write", {v_state, v, places}), "v");
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
  for (const int64_t width : {7, 64, 577}) {
    const auto row = [&] { return normal({width}).as_constant(); };
    add(fmt::format("residual_rms_{}", width).c_str(), "row", {normal({5, width}), normal({5, width}), row()}, 2,
        [=](const OpTable& ops) { return residual_body(ops, "rms_norm", width); });
    add(fmt::format("residual_layer_{}", width).c_str(), "row", {normal({5, width}), normal({5, width}), row(), row()},
        2, [=](const OpTable& ops) { return residual_body(ops, "layer_norm", width); });
  }
  for (const DType kept : {DType::f32, DType::f16, DType::bf16}) {
    for (const bool interleaved : {false, true}) {
      for (const std::vector<double>& places : {std::vector<double>{}, {3}, {8, 0, 1, 0, 7}}) {  // the last 0 stays
        const auto rows = static_cast<int64_t>(places.size());
        const int64_t pairs = interleaved ? 7 : 10;
        const std::string name =
            fmt::format("rope_kv_{}_{}{}", rows, dtype_name(kept), interleaved ? "_interleaved" : "");
        add(name.c_str(), "rope_kv",
            {normal({rows, 4, 20}), integers(DType::i32, {rows}, 0, 4000), uniform({pairs}, 1e-4, 1).as_constant(),
             normal({rows, 2, 20}), normal({9, 2, 20}, kept), given(DType::i32, {rows}, places),
             normal({9, 2, 20}, kept), normal({rows, 2, 20})},
            3, [=](const OpTable& ops) { return rope_kv_body(ops, kept, interleaved, rows, pairs); });
        cases.back().tolerance = kept == DType::f32 ? 2e-5 : kept == DType::f16 ? 1e-3 : 8e-3;
      }
    }
  }
}

}  // namespace narae
