// SPDX-License-Identifier: Apache-2.0
// Random graphs of what passes look for: whatever all passes, or each alone, make of them is sound and gives the same
// numbers, and kept values are still made. Compiled, they give these numbers on every device: on the checking one no
// record may lack a wait, read what was overwritten or leave padding dirty.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "compile/compiler.h"
#include "compile/pass_driver.h"
#include "engine/session.h"
#include "graph/builder.h"
#include "graph/text.h"
#include "ops/batch_norm.h"
#include "ops/concat.h"
#include "ops/conv.h"
#include "ops/gather.h"
#include "ops/interpret.h"
#include "ops/matmul.h"
#include "ops/ops.h"
#include "ops/pad.h"
#include "ops/pool.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "ops/unary.h"
#include "passes/pass_list.h"

namespace narae {
namespace {

// Grows a graph over values of shape [2, 4, 5, 5] and of what reductions leave of it. Everything stays near 1 in size.
class RandomGraph {
 public:
  RandomGraph(const OpTable& ops, uint64_t seed)
      : graph_(std::make_unique<Graph>(ops, "random")), b_(*graph_), random_(seed) {
    const Dim n = graph_->new_symbol("N", 1, 64);
    for (int i = 0; i < 2; ++i) values_.push_back(graph_->add_input(fmt::format("x{}", i), DType::f32, {n, 4, 5, 5}));
  }

  std::unique_ptr<Graph> grow(int steps) {
    for (int i = 0; i < steps; ++i) {
      b_.set_origins({fmt::format("n{}", i)});
      Value* made = step();
      if (made->shape() == values_[0]->shape()) values_.push_back(made);
      if (below(12) == 0) made->set_keep(true);
      if (below(12) == 0) graph_->add_output(made, fmt::format("y{}", i));
    }
    graph_->add_output(values_.back(), "y");
    return std::move(graph_);
  }

 private:
  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  // Mostly young values, so that chains grow.
  Value* any() {
    const int back = std::min(below(static_cast<int>(values_.size())), below(static_cast<int>(values_.size())));
    return values_[values_.size() - 1 - static_cast<size_t>(back)];
  }
  Value* weights(Dims dims, double scale) {
    Tensor tensor = Tensor::allocate(DType::f32, std::move(dims));
    fill_normal(tensor, random_());
    for (int64_t i = 0; i < tensor.count(); ++i) tensor.as<float>()[i] *= static_cast<float>(scale);
    return graph_->add_constant(std::move(tensor));
  }

  Value* unary(Value* x) {
    static const char* names[] = {"relu", "sigmoid", "tanh", "abs", "neg", "erf", "hard_swish"};
    return b_.op(names[below(7)], {x});
  }
  Value* binary(Value* x) {
    static const char* names[] = {"add", "sub", "min", "max", "mul", "add"};
    const char* name = names[below(6)];
    Value* other = any();
    switch (below(5)) {
      case 0: other = b_.scalar(std::vector<double>{0, 1, 0.5, 2, 3}[static_cast<size_t>(below(5))]); break;
      case 1: other = weights({4, 1, 1}, 0.5); break;
      case 2: other = weights({5}, 0.5); break;
      case 3: other = b_.op("reduce_mean", {other}, ReduceAttributes{{2, 3}, true}); break;
      default: break;
    }
    Value* y = below(2) ? b_.op(name, {x, other}) : b_.op(name, {other, x});
    return b_.op("tanh", {y});  // bounded
  }
  Value* convolution(Value* x) {
    const bool wide = below(2);
    ConvAttributes a{{1, 1}, {1, 1}, wide ? std::vector<int64_t>{1, 1, 1, 1} : std::vector<int64_t>{0, 0, 0, 0}, 1};
    if (wide && below(3) == 0) {
      x = b_.op("pad", {x}, PadAttributes{{0, 0, 1, 1, 0, 0, 1, 1}, "constant"});
      a.pads = {0, 0, 0, 0};
    }
    std::vector<Value*> operands{x, weights(wide ? Dims{4, 4, 3, 3} : Dims{4, 4, 1, 1}, wide ? 0.2 : 0.5)};
    if (below(2)) operands.push_back(weights({4}, 0.5));
    return b_.op("conv", operands, a);
  }
  Value* batch_norm(Value* x) {
    Value* variance = weights({4}, 1);
    for (int i = 0; i < 4; ++i) variance->tensor().as<float>()[i] = 1 + std::abs(variance->tensor().as<float>()[i]);
    return b_.op("batch_norm", {x, weights({4}, 1), weights({4}, 0.5), weights({4}, 0.5), variance},
                 BatchNormAttributes{});
  }
  // Transposes with something between them.
  Value* there_and_back(Value* x) {
    Value* y = b_.op("transpose", {x}, TransposeAttributes{{0, 2, 3, 1}});
    if (below(2)) y = b_.op("relu", {y});
    if (below(2)) y = b_.op("mul", {y, weights({4}, 1)});
    if (below(3) == 0) y = b_.op("concat", {y, y}, ConcatAttributes{3});
    y = b_.op("transpose", {y}, TransposeAttributes{{0, 3, 1, 2}});
    return b_.op("slice", {y}, SliceAttributes{{Dim(0)}, {Dim(4)}, {1}, {}});
  }
  Value* softmax(Value* x) {
    const int64_t axis = 1 + below(3);
    if (below(2)) return b_.op("softmax", {x}, SoftmaxAttributes{axis});
    Value* e = b_.op("exp", {b_.op("sub", {x, b_.op("reduce_max", {x}, ReduceAttributes{{axis}, true})})});
    return b_.op("div", {e, b_.op("reduce_sum", {e}, ReduceAttributes{{axis}, true})});
  }
  Value* product(Value* x) {
    Value* y =
        b_.op("matmul", {x, below(2) ? weights({5, 5}, 0.4) : any()}, MatmulAttributes{below(2) == 1, below(2) == 1});
    return b_.op(below(2) ? "relu" : "tanh", {b_.op("mul", {y, b_.scalar(0.25)})});
  }
  Value* views(Value* x) {
    const Dim n = x->shape()[0];
    Value* y = b_.op("reshape", {x}, ReshapeAttributes{{n, Dim(2), Dim(2), Dim(25)}});
    if (below(2)) y = b_.op("transpose", {y}, TransposeAttributes{{0, 2, 1, 3}});
    return b_.op("reshape", {y}, ReshapeAttributes{x->shape()});
  }
  Value* masked(Value* x) { return b_.op("select", {b_.op("gt", {x, b_.scalar(0.25)}), x, any()}); }
  Value* pool(Value* x) {
    if (below(2)) return b_.op("max_pool", {x}, MaxPoolAttributes{{3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}});
    x = b_.op("pad", {x}, PadAttributes{{0, 0, 1, 1, 0, 0, 1, 1}, "constant"});
    return b_.op("avg_pool", {x}, AvgPoolAttributes{{3, 3}, {1, 1}, {1, 1}, {0, 0, 0, 0}});
  }

  Value* step() {
    Value* x = any();
    switch (below(14)) {
      case 0:
      case 1: return unary(x);
      case 2:
      case 3: return binary(x);
      case 4:
      case 5: return convolution(x);
      case 6: return batch_norm(x);
      case 7: return there_and_back(x);
      case 8: return softmax(x);
      case 9: return product(x);
      case 10: return views(x);
      case 11: return masked(x);
      case 12: return pool(x);
      default: return b_.op("mul", {x, b_.op("sigmoid", {x})});
    }
  }

  std::unique_ptr<Graph> graph_;
  Builder b_;
  std::mt19937_64 random_;
  std::vector<Value*> values_;
};

double relative_error(const Tensor& wanted, const Tensor& got) {
  double difference = 0, norm = 1e-12;
  for (int64_t i = 0; i < wanted.count(); ++i) {
    const double a = element_as_double(wanted, i), b = element_as_double(got, i);
    difference += (a - b) * (a - b);
    norm += a * a;
  }
  return std::sqrt(difference / norm);
}

size_t kept(const Graph& graph) {
  size_t count = 0;
  for (const auto& value : graph.values()) count += value->keep();
  return count;
}

std::vector<Tensor> seeded_inputs(const Graph& graph, int64_t batch, uint64_t seed) {
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    inputs.push_back(Tensor::allocate(DType::f32, {batch, 4, 5, 5}));
    fill_normal(inputs.back(), seed * 2 + i);
  }
  return inputs;
}

void check(const OpTable& ops, uint64_t seed, const std::string& passes, int steps = 30) {
  SCOPED_TRACE(fmt::format("seed {} passes {}", seed, passes));
  const auto graph = RandomGraph(ops, seed).grow(steps);
  graph->verify();
  const auto before = graph->clone();
  PassOptions options;
  options.selection = PassSelection::parse(passes);
  run_portable_passes(*graph, options);
  run_target_passes(*graph, Target(), options);
  EXPECT_EQ(kept(*graph), kept(*before));
  const std::vector<Tensor> inputs = seeded_inputs(*before, 2, seed);
  const auto wanted = interpret(*before, inputs), got = interpret(*graph, inputs);
  ASSERT_EQ(wanted.size(), got.size());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_LE(relative_error(wanted[i], got[i]), 1e-4) << "output " << i;
  // The text form holds whatever the passes make.
  PrintOptions whole;
  whole.inline_limit = 1 << 20;
  const std::string text = print_graph(*graph, whole);
  EXPECT_TRUE(print_graph(*parse_graph(text, ops), whole) == text);
}

TEST(RandomGraphTest, AllPassesKeepTheNumbers) {
  OpTable ops;
  add_all_ops(ops);
  for (uint64_t seed = 1; seed <= 60 && !::testing::Test::HasFailure(); ++seed)
    check(ops, seed, "all", 20 + static_cast<int>(seed % 60));
}

class RandomGraphOn : public ::testing::TestWithParam<const char*> {};

TEST_P(RandomGraphOn, CompiledGraphsGiveTheNumbers) {
  RuntimeOptions device;
  device.device = GetParam();
  Runtime runtime(device);
  for (uint64_t seed = 1; seed <= 40 && !HasFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    auto graph = RandomGraph(runtime.ops(), seed).grow(20 + static_cast<int>(seed % 60));
    const auto before = graph->clone();
    CompileOptions options;
    options.passes.selection = PassSelection::parse(seed % 4 ? "all" : "none");
    options.selection.keep_all_bodies = seed % 2;
    Session session(compile(std::move(graph), runtime, options), runtime.device());
    for (const int64_t batch : {1, 3}) {
      const std::vector<Tensor> inputs = seeded_inputs(*before, batch, seed);
      const auto wanted = interpret(*before, inputs);
      const auto& got = session.run(inputs);
      ASSERT_EQ(wanted.size(), got.size());
      // Winograd's bound where it may have been chosen.
      for (size_t i = 0; i < wanted.size(); ++i) EXPECT_LE(relative_error(wanted[i], got[i]), 1e-3) << "output " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, RandomGraphOn, ::testing::Values("cpu", "fake"),
                         [](const auto& info) { return std::string(info.param); });

TEST(RandomGraphTest, WithoutOnePassTheRestKeepTheNumbers) {
  OpTable ops;
  add_all_ops(ops);
  uint64_t seed = 2000;
  for (const auto* list : {&portable_passes(), &target_passes()}) {
    for (const Pass& pass : *list) check(ops, ++seed, fmt::format("-{}", pass.name), 60);
  }
}

TEST(RandomGraphTest, EachPassAloneKeepsTheNumbers) {
  OpTable ops;
  add_all_ops(ops);
  uint64_t seed = 1000;
  for (const auto* list : {&portable_passes(), &target_passes()}) {
    for (const Pass& pass : *list) {
      for (int i = 0; i < 3; ++i) check(ops, ++seed, pass.name);
    }
  }
}

}  // namespace
}  // namespace narae
