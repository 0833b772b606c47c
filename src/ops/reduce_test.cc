// SPDX-License-Identifier: Apache-2.0
// Reductions, softmax and norms against numbers from onnxruntime; decompositions against references.
#include "ops/reduce.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ops/batch_norm.h"
#include "ops/expect_values.h"
#include "ops/softmax.h"

namespace narae {
namespace {

TEST(Reduce, OuterAndInnerAxes) {
  const ReduceAttributes a{{0, 2}, false};
  const std::vector<std::pair<const char*, std::vector<double>>> cases = {
      {"reduce_sum", {0.25, -2.75, 0}},
      {"reduce_mean", {0.03125, -0.34375, 0}},
      {"reduce_max", {2.75, 1.75, 2.5}},
      {"reduce_min", {-2.5, -2.75, -2.5}},
      {"reduce_prod", {12.68921, 0, 3.515625}},
      {"reduce_l1", {12.75, 10.25, 12.5}},
      {"reduce_l2", {5.031153, 4.366062, 5.012485}},
      {"reduce_sum_square", {25.3125, 19.0625, 25.125}},
      {"reduce_log_sum_exp", {3.418123, 2.603111, 3.279279}},
  };
  for (const auto& [name, values] : cases) {
    SCOPED_TRACE(name);
    expect_values(run_op(name, {pattern({2, 3, 4}, 5)}, a)[0], {3}, values);
  }
}

TEST(Reduce, IntegersAreExact) {
  const int64_t big = (int64_t{1} << 60) + 1;
  const Tensor x = Tensor::of<int64_t>(DType::i64, {2, 2}, {big, 2, -7, 4});
  const ReduceAttributes rows{{1}, true};
  const auto sum = run_op("reduce_sum", {x}, rows)[0], most = run_op("reduce_max", {x}, rows)[0];
  EXPECT_EQ(sum.dims, (Dims{2, 1}));
  EXPECT_EQ(sum.as<int64_t>()[0], big + 2);
  EXPECT_EQ(most.as<int64_t>()[0], big);
  EXPECT_EQ(run_op("reduce_mean", {x}, rows)[0].as<int64_t>()[1], -1);
  EXPECT_EQ(run_op("reduce_prod", {x}, rows)[0].as<int64_t>()[1], -28);
}

TEST(Reduce, NoAxesAndNoElements) {
  expect_values(run_op("reduce_sum_square", {pattern({3}, 1)}, ReduceAttributes{{}, true})[0], {3}, {0.5625, 2.25, 4});
  const Tensor none = Tensor::allocate(DType::f32, {2, 0});
  expect_values(run_op("reduce_sum", {none}, ReduceAttributes{{1}, false})[0], {2}, {0, 0});
  expect_values(run_op("reduce_prod", {none}, ReduceAttributes{{1}, false})[0], {2}, {1, 1});
  EXPECT_EQ(run_op("reduce_max", {none}, ReduceAttributes{{1}, false})[0].as<float>()[0], -INFINITY);
}

TEST(Reduce, ProductOfAShapeStaysADim) {
  OpTable table;
  add_all_ops(table);
  Graph graph(table);
  const Dim n = graph.new_symbol("N");
  Value* shape = graph.add_input("shape", DType::i64, {Dim(2)});
  graph.set_input_contents(shape, {n, Dim(4)});
  Builder b(graph);
  const Value* count = b.op("reduce_prod", {shape}, ReduceAttributes{{0}, false});
  ASSERT_NE(count->contents(), nullptr);
  EXPECT_EQ(count->contents()->at(0), n * Dim(4));
  EXPECT_EQ(count->rank(), 0);
}

TEST(Softmax, MiddleAxis) {
  const Tensor x = pattern({2, 3, 2}, 5);
  const SoftmaxAttributes a{1};
  expect_values(run_op("softmax", {x}, a)[0], {2, 3, 2},
                {0.05997779, 0.2207936, 0.2093431, 0.7706454, 0.7306791, 0.008561097, 0.2207936, 0.05997779, 0.7706454,
                 0.2093431, 0.008561097, 0.7306791});
  expect_values(run_op("log_softmax", {x}, a)[0], {2, 3, 2},
                {-2.813781, -1.510527, -1.563781, -0.260527, -0.3137809, -4.760527, -1.510527, -2.813781, -0.260527,
                 -1.563781, -4.760527, -0.3137809});
  expect_values(run_op("hardmax", {x}, a)[0], {2, 3, 2}, {0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1});
}

TEST(BatchNorm, ChannelNumbers) {
  Tensor variance = pattern({3}, 4);
  for (int64_t i = 0; i < 3; ++i) set_element(variance, i, std::fabs(element_as_double(variance, i)) + 0.5);
  expect_values(
      run_op("batch_norm", {pattern({2, 3, 2}, 5), pattern({3}, 1), pattern({3}, 2), pattern({3}, 3), variance},
             BatchNormAttributes{0.01})[0],
      {2, 3, 2},
      {-5.37139, -2.360309, 2.864586, -0.1614639, 3.818943, 0.1568944, -2.145232, -4.080927, -0.3776103, 1.567707,
       0.5637887, 6.260308});
}

TEST(Decompositions, SameNumbers) {
  const Tensor x = pattern({2, 3, 4}, 5);
  for (const char* name : {"reduce_l1", "reduce_l2", "reduce_sum_square"}) {
    expect_same_decomposed(name, {x}, ReduceAttributes{{1}, false});
  }
  for (const char* name : {"softmax", "log_softmax"}) expect_same_decomposed(name, {x}, SoftmaxAttributes{1});
  Tensor ones = Tensor::of<float>(DType::f32, {3}, {1, 2, 3});
  expect_same_decomposed("reduce_log_sum", {ones}, ReduceAttributes{{0}, true});
  expect_same_decomposed("batch_norm", {x, pattern({3}, 1), pattern({3}, 2), pattern({3}, 3), ones},
                         BatchNormAttributes{0.01});
}

}  // namespace
}  // namespace narae
