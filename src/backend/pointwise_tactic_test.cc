// SPDX-License-Identifier: Apache-2.0
// Cases of pointwise and row nodes and bodies.
#include "backend/tactic_cases_test.h"
#include "graph/builder.h"
#include "ops/cast.h"
#include "ops/fused.h"
#include "ops/reduce.h"
#include "ops/softmax.h"
#include "ops/unary.h"

namespace narae {
namespace {

using Build = std::function<std::vector<Value*>(Builder&)>;

// A fused node over a body; its inputs become the graph's.
TacticCase fused(std::string name, std::string kind, Build build) {
  return {std::move(name), [=](const OpTable& ops) {
            auto body = std::make_unique<Graph>(ops, "body");
            Builder builder(*body);
            for (Value* value : build(builder)) body->add_output(value);
            auto graph = std::make_unique<Graph>(ops);
            std::vector<Value*> operands;
            for (const Value* input : body->inputs()) {
              operands.push_back(graph->add_input(input->name(), input->dtype(), input->shape()));
            }
            const int outputs = static_cast<int>(body->outputs().size());
            Node* node = graph->add_node(ops.get("fused"), make_attributes(FusedAttributes{kind}), operands, outputs,
                                         nullptr, std::move(body));
            for (Value* value : node->outputs()) graph->add_output(value);
            return graph;
          }};
}

TacticCase single(std::string name, Build build) {
  return {std::move(name), [=](const OpTable& ops) {
            auto graph = std::make_unique<Graph>(ops);
            Builder builder(*graph);
            for (Value* value : build(builder)) graph->add_output(value);
            return graph;
          }};
}

Value* in(Builder& b, const char* name, Shape shape, DType dtype = DType::f32) {
  return b.graph().add_input(name, dtype, std::move(shape));
}
Value* constant(Builder& b, Dims dims) {
  Tensor tensor = Tensor::allocate(DType::f32, std::move(dims));
  fill_normal(tensor, 7);
  return b.graph().add_constant(tensor);
}

void add_single_cases(std::vector<TacticCase>& cases) {
  for (const int64_t channels : {16, 19}) {
    const Shape shape{2, channels, 3, 5};
    const std::string suffix = "_c" + std::to_string(channels);
    cases.push_back(
        single("relu" + suffix, [=](Builder& b) { return std::vector{b.op("relu", {in(b, "x", shape)})}; }));
    cases.push_back(single("exp" + suffix, [=](Builder& b) { return std::vector{b.op("exp", {in(b, "x", shape)})}; }));
    cases.push_back(single("add_channel" + suffix, [=](Builder& b) {
      return std::vector{b.op("add", {in(b, "x", shape), constant(b, {channels, 1, 1})})};
    }));
    cases.push_back(single("add_channel_input" + suffix, [=](Builder& b) {
      return std::vector{b.op("add", {in(b, "x", shape), in(b, "y", {channels, 1, 1})})};
    }));
    cases.push_back(single("mul_gate" + suffix, [=](Builder& b) {
      return std::vector{b.op("mul", {in(b, "x", shape), in(b, "y", {2, channels, 1, 1})})};
    }));
    cases.push_back(single("div_plane" + suffix, [=](Builder& b) {
      return std::vector{b.op("div", {in(b, "x", shape), in(b, "y", {2, 1, 3, 5})})};
    }));
    cases.push_back(single("add_scalar" + suffix, [=](Builder& b) {
      return std::vector{b.op("add", {in(b, "x", shape), b.scalar(1.5)})};
    }));
    cases.push_back(single("less" + suffix, [=](Builder& b) {
      return std::vector{b.op("lt", {in(b, "x", shape), in(b, "y", shape)})};
    }));
  }
  cases.push_back(single("cast_to_i64", [](Builder& b) {
    return std::vector{b.op("cast", {in(b, "x", {3, 7})}, CastAttributes{DType::i64})};
  }));
  cases.push_back(single("cast_from_i32", [](Builder& b) {
    return std::vector{b.op("cast", {in(b, "x", {3, 7}, DType::i32)}, CastAttributes{DType::f32})};
  }));
  cases.push_back(single("broadcast_both", [](Builder& b) {
    return std::vector{b.op("sub", {in(b, "x", {4, 1, 6}), in(b, "y", {5, 1})})};
  }));
}

void add_body_cases(std::vector<TacticCase>& cases) {
  for (const int64_t channels : {32, 35}) {
    cases.push_back(fused("hard_swish_chain_c" + std::to_string(channels), "pointwise", [=](Builder& b) {
      Value* x = in(b, "x", {1, channels, 4, 6});
      Value* y = in(b, "y", {1, channels, 4, 6});
      Value* sum = b.op("add", {x, y});
      Value* gate = b.op("clip", {b.op("add", {sum, b.scalar(3)})}, ClipAttributes{0, 6});
      return std::vector{b.op("mul", {sum, gate}), gate};
    }));
  }
  cases.push_back(fused("masked_softmax", "row", [](Builder& b) {
    Value* x = in(b, "x", {2, 3, 5, 9});
    Value* mask = in(b, "mask", {2, 1, 1, 9});
    return std::vector{b.op("softmax", {b.op("add", {x, mask})}, SoftmaxAttributes{3})};
  }));
  cases.push_back(fused("normalise", "row", [](Builder& b) {
    Value* x = in(b, "x", {3, 40});
    Value* mean = b.op("reduce_mean", {x}, ReduceAttributes{{1}, true});
    Value* centred = b.op("sub", {x, mean});
    Value* variance = b.op("reduce_mean", {b.op("square", {centred})}, ReduceAttributes{{1}, true});
    Value* scale = b.op("rsqrt", {b.op("add", {variance, b.scalar(1e-5)})});
    return std::vector{b.op("mul", {b.op("mul", {centred, scale}), in(b, "gain", {40})})};
  }));
}

}  // namespace

void add_pointwise_cases(std::vector<TacticCase>& cases) {
  add_single_cases(cases);
  add_body_cases(cases);
}

}  // namespace narae
