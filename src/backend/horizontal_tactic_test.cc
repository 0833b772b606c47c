// SPDX-License-Identifier: Apache-2.0
// Cases of horizontal bodies: branches of an Inception block, query, key and value.
#include "backend/tactic_cases_test.h"
#include "graph/builder.h"
#include "ops/conv.h"
#include "ops/fused.h"
#include "ops/matmul.h"

namespace narae {
namespace {

Tensor weights(Dims dims, uint64_t seed) {
  Tensor tensor = Tensor::allocate(DType::f32, std::move(dims));
  fill_normal(tensor, seed);
  return tensor;
}

// A body over one input "x"; `branch` makes branch i of it on a weight (and other constants).
struct Maker {
  Graph& graph;
  Graph& body;
  std::vector<Value*>& operands;
  Value* constant(Dims dims) {
    operands.push_back(graph.add_constant(weights(dims, operands.size())));
    return body.add_input("c" + std::to_string(operands.size()), DType::f32, to_shape(dims));
  }
};
using Branch = std::function<Value*(Builder&, Maker&, Value* x, size_t i)>;

TacticCase horizontal(std::string name, Dims x, size_t branches, Branch branch) {
  return {std::move(name), [=](const OpTable& ops) {
            auto body = std::make_unique<Graph>(ops, "body");
            auto graph = std::make_unique<Graph>(ops);
            std::vector<Value*> operands{graph->add_input("x", DType::f32, to_shape(x))};
            Value* input = body->add_input("x", DType::f32, to_shape(x));
            Builder b(*body);
            Maker maker{*graph, *body, operands};
            for (size_t i = 0; i < branches; ++i) body->add_output(branch(b, maker, input, i));
            Node* node = graph->add_node(ops.get("fused"), make_attributes(FusedAttributes{"horizontal"}), operands,
                                         static_cast<int>(branches), nullptr, std::move(body));
            for (Value* value : node->outputs()) graph->add_output(value);
            return graph;
          }};
}

}  // namespace

void add_horizontal_cases(std::vector<TacticCase>& cases) {
  for (const int64_t channels : {3, 40}) {
    cases.push_back(horizontal("branches_1x1_c" + std::to_string(channels), {2, channels, 7, 6}, 3,
                               [=](Builder& b, Maker& m, Value* x, size_t i) {
                                 const int64_t out = 16 * static_cast<int64_t>(i) + 17;
                                 Value* y = b.op("conv", {x, m.constant({out, channels, 1, 1}), m.constant({out})},
                                                 ConvAttributes{{1, 1}, {1, 1}, {0, 0, 0, 0}, 1});
                                 return i == 0 ? y : b.op(i == 1 ? "relu" : "silu", {y});
                               }));
  }
  cases.push_back(horizontal("branches_3x3", {1, 32, 9, 8}, 2, [](Builder& b, Maker& m, Value* x, size_t) {
    return b.op("conv", {x, m.constant({32, 32, 3, 3})}, ConvAttributes{{1, 1}, {1, 1}, {1, 1, 1, 1}, 1});
  }));
  cases.push_back(horizontal("query_key_value", {2, 11, 64}, 3, [](Builder& b, Maker& m, Value* x, size_t i) {
    Value* y = b.op("matmul", {x, m.constant({64, i == 2 ? 40 : 64})}, MatmulAttributes{});
    return b.op("add", {y, m.constant({i == 2 ? 40 : 64})});
  }));
}

}  // namespace narae
