// SPDX-License-Identifier: Apache-2.0
// Passes cost time linear in nodes: four times the nodes may be looked at four times as often, and a little more.
#include <gtest/gtest.h>

#include "graph/builder.h"
#include "ops/conv.h"
#include "ops/dims.h"
#include "ops/matmul.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "passes/pass_list.h"

namespace narae {
namespace {

struct Model {
  explicit Model(const OpTable& ops) : graph(std::make_unique<Graph>(ops, "linear")), b(*graph) {}
  Value* weights(Dims dims) {
    Tensor tensor = Tensor::allocate(DType::f32, std::move(dims));
    fill_normal(tensor, ++seed);
    return graph->add_constant(std::move(tensor));
  }
  std::unique_ptr<Graph> graph;
  Builder b;
  uint64_t seed = 0;
};

using Grow = Value* (*)(Model&, Value*);

// One block of a network, from [N, 4, 4] to the same.
Value* block(Model& m, Value* x) {
  Value* left = m.b.op("matmul", {x, m.weights({4, 4})}, MatmulAttributes{});
  Value* right = m.b.op("matmul", {x, m.weights({4, 4})}, MatmulAttributes{});
  left = m.b.op("relu", {m.b.op("add", {left, m.weights({4})})});
  Value* t = m.b.op("transpose", {right}, TransposeAttributes{{0, 2, 1}});
  t = m.b.op("transpose", {m.b.op("div", {t, m.b.scalar(2)})}, TransposeAttributes{{0, 2, 1}});
  Value* e = m.b.op("exp", {t});
  Value* s = m.b.op("div", {e, m.b.op("reduce_sum", {e}, ReduceAttributes{{2}, true})});
  Value* g = m.b.op("add", {m.b.op("erf", {m.b.op("mul", {left, m.b.scalar(0.70710678)})}), m.b.scalar(1)});
  g = m.b.op("mul", {m.b.op("mul", {left, g}), m.b.scalar(0.5)});
  return m.b.op("softmax", {m.b.op("add", {m.b.op("add", {s, g}), x})}, SoftmaxAttributes{2});
}

// A long chain of pointwise nodes, some equal, some without effect.
Value* chain(Model& m, Value* x) {
  Value* y = m.b.op("add", {m.b.op("mul", {x, m.b.scalar(1)}), m.b.op("sigmoid", {x})});
  return m.b.op("sub", {m.b.op("mul", {y, m.b.op("sigmoid", {y})}), m.b.scalar(0.5)});
}

// Everything reads the first value.
Value* fan(Model& m, Value* x) {
  Value* input = m.graph->inputs()[0];
  Value* y = m.b.op("matmul", {input, m.weights({4, 4})}, MatmulAttributes{});
  return m.b.op("add", {x, m.b.op("relu", {m.b.op("mul", {y, input})})});
}

std::vector<int64_t> visits(const OpTable& ops, Grow grow, size_t nodes) {
  Model m(ops);
  Value* x = m.graph->add_input("x", DType::f32, {m.graph->new_symbol("N", 1), 4, 4});
  while (m.graph->node_count() < nodes) x = grow(m, x);
  m.graph->add_output(x, "y");
  std::vector<int64_t> counts;
  PassContext context;
  Target narrow;
  narrow.precision = "fp16";
  for (const auto* list : {&portable_passes(), &target_passes()}) {
    for (const Pass& pass : *list) {
      context.visited = 0;
      // The others have less to do for it.
      const bool narrows = std::string_view(pass.name).find("narrow") != std::string_view::npos;
      pass.run ? pass.run(*m.graph, context) : pass.run_for_target(*m.graph, narrows ? narrow : Target(), context);
      counts.push_back(context.visited);
    }
  }
  m.graph->verify();
  return counts;
}

void expect_linear(Grow grow) {
  OpTable ops;
  add_all_ops(ops);
  const std::vector<int64_t> small = visits(ops, grow, 1000), large = visits(ops, grow, 4000);
  size_t i = 0;
  for (const auto* list : {&portable_passes(), &target_passes()}) {
    for (const Pass& pass : *list) {
      EXPECT_GT(large[i], 0) << pass.name << " does not count what it looks at";
      EXPECT_LE(static_cast<double>(large[i]), 4.4 * static_cast<double>(small[i])) << pass.name;
      ++i;
    }
  }
}

TEST(LinearTest, Network) { expect_linear(block); }
TEST(LinearTest, Chain) { expect_linear(chain); }
TEST(LinearTest, Fan) { expect_linear(fan); }

}  // namespace
}  // namespace narae
