// SPDX-License-Identifier: Apache-2.0
// Cases of products: packed and computed right operands, few rows, transposes, broadcast batches, epilogues.
#include "backend/tactic_cases_test.h"
#include "graph/builder.h"
#include "ops/fused.h"
#include "ops/matmul.h"

namespace narae {
namespace {

struct GemmCase {
  const char* name;
  Dims a, b;
  bool b_constant, transpose_a, transpose_b;
};

std::vector<GemmCase> gemm_cases() {
  return {
      {"gemm", {45, 70}, {70, 50}, true, false, false},
      {"gemm_transposed", {3, 17, 40}, {67, 40}, true, false, true},
      {"gemm_row", {1, 130}, {130, 33}, true, false, false},
      {"gemm_deep", {20, 1500}, {1500, 64}, true, false, false},
      {"gemm_inputs", {19, 21}, {21, 37}, false, false, false},
      {"gemm_a_transposed", {21, 19}, {21, 37}, false, true, false},
      {"batched", {2, 3, 13, 24}, {2, 3, 24, 18}, false, false, false},
      {"batched_scores", {2, 3, 13, 24}, {2, 3, 18, 24}, false, false, true},
      {"batched_broadcast", {2, 1, 13, 24}, {3, 24, 18}, false, false, false},
      {"batched_many", {2, 3, 2, 7, 5}, {2, 1, 2, 5, 9}, false, false, false},
  };
}

Tensor values(Dims dims, uint64_t seed) {
  Tensor tensor = Tensor::allocate(DType::f32, std::move(dims));
  fill_normal(tensor, seed);
  return tensor;
}

TacticCase plain_case(const GemmCase& c) {
  return {c.name, [=](const OpTable& ops) {
            auto graph = std::make_unique<Graph>(ops);
            Builder b(*graph);
            Value* left = graph->add_input("a", DType::f32, to_shape(c.a));
            Value* right =
                c.b_constant ? graph->add_constant(values(c.b, 3)) : graph->add_input("b", DType::f32, to_shape(c.b));
            graph->add_output(b.op("matmul", {left, right}, MatmulAttributes{c.transpose_a, c.transpose_b}));
            return graph;
          }};
}

using Operand = std::function<Value*(const char* name, Shape shape, DType type)>;
using Epilogue = std::function<Value*(Builder&, Value* y, const Operand& operand)>;

TacticCase body_case(const GemmCase& c, const char* suffix, Epilogue epilogue) {
  return {std::string(c.name) + "_" + suffix, [=](const OpTable& ops) {
            auto body = std::make_unique<Graph>(ops, "body");
            auto graph = std::make_unique<Graph>(ops);
            Builder b(*body);
            std::vector<Value*> operands{graph->add_input("a", DType::f32, to_shape(c.a))};
            operands.push_back(c.b_constant ? graph->add_constant(values(c.b, 3))
                                            : graph->add_input("b", DType::f32, to_shape(c.b)));
            Value* left = body->add_input("a", DType::f32, to_shape(c.a));
            Value* right = body->add_input("b", DType::f32, to_shape(c.b));
            Value* y = b.op("matmul", {left, right}, MatmulAttributes{c.transpose_a, c.transpose_b});
            const Operand operand = [&](const char* name, Shape shape, DType type) {
              operands.push_back(graph->add_input(name, type, shape));
              return body->add_input(name, type, std::move(shape));
            };
            body->add_output(epilogue(b, y, operand));
            Node* node = graph->add_node(ops.get("fused"), make_attributes(FusedAttributes{"contraction"}), operands, 1,
                                         nullptr, std::move(body));
            graph->add_output(node->output(0));
            return graph;
          }};
}

Value* bias_residual_relu(Builder& b, Value* y, const Operand& operand) {
  Value* biased = b.op("add", {y, operand("bias", {y->shape().back()}, DType::f32)});
  return b.op("relu", {b.op("add", {biased, operand("residual", y->shape(), DType::f32)})});
}
Value* bias_gelu(Builder& b, Value* y, const Operand& operand) {
  return b.op("gelu", {b.op("add", {y, operand("bias", {y->shape().back()}, DType::f32)})});
}
// A scale for all, a gain per row, a gate of every element.
Value* every_class(Builder& b, Value* y, const Operand& operand) {
  Shape rows = y->shape();
  rows.back() = 1;
  Value* scaled = b.op("mul", {b.op("mul", {y, operand("scale", {}, DType::f32)}), operand("rows", rows, DType::f32)});
  return b.op("mul", {b.op("sigmoid", {scaled}), operand("gate", y->shape(), DType::f32)});
}
// A mask that is the same for all heads and rows, as attention adds to scores.
Value* masked(Builder& b, Value* y, const Operand& operand) {
  const Shape& s = y->shape();
  return b.op("add", {b.op("mul", {y, b.scalar(0.2)}), operand("mask", {s[0], 1, 1, s[3]}, DType::f32)});
}

// One that chooses, by key and then by query.
Value* chosen(Builder& b, Value* y, const Operand& operand) {
  const Shape& s = y->shape();
  Value* kept = b.op("select", {operand("keys", {s[0], 1, 1, s[3]}, DType::boolean), y, b.scalar(-100)});
  return b.op("select", {operand("queries", {s[2], s[3]}, DType::boolean), kept, b.scalar(-50)});
}

}  // namespace

void add_gemm_cases(std::vector<TacticCase>& cases) {
  for (const GemmCase& c : gemm_cases()) {
    cases.push_back(plain_case(c));
    if (std::string(c.name) == "batched_many") continue;  // its body is run part by part
    cases.push_back(body_case(c, "bias_residual_relu", bias_residual_relu));
    cases.push_back(body_case(c, "bias_gelu", bias_gelu));
    cases.push_back(body_case(c, "every_class", every_class));
    if (std::string(c.name) == "batched_scores") cases.push_back(body_case(c, "masked", masked));
    if (std::string(c.name) == "batched_scores") cases.push_back(body_case(c, "chosen", chosen));
  }
}

}  // namespace narae
