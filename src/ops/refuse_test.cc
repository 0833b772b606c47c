// SPDX-License-Identifier: Apache-2.0
// What shape rules must refuse, and the size rules of windows on symbols.
#include <gtest/gtest.h>

#include "base/error.h"
#include "graph/builder.h"
#include "ops/conv.h"
#include "ops/group_norm.h"
#include "ops/layer_norm.h"
#include "ops/op_case.h"
#include "ops/ops.h"
#include "ops/pool.h"
#include "ops/reduce.h"
#include "ops/resize.h"
#include "ops/softmax.h"

namespace narae {
namespace {

template <typename A>
std::string refusal(const char* op, std::vector<CaseInput> inputs, A attributes) {
  OpTable table;
  add_all_ops(table);
  try {
    build_case_graph({op, "bad", make_attributes(std::move(attributes)), std::move(inputs)}, table);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}
::testing::AssertionResult says(const std::string& message, const char* part) {
  if (message.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << message;
}

TEST(Refuse, Convolutions) {
  const CaseInput x = normal({1, 4, 5, 5});
  const ConvAttributes plain{{1, 1}, {1, 1}, {0, 0, 0, 0}, 1};
  EXPECT_TRUE(says(refusal("conv", {x, normal({2, 3, 3, 3})}, plain), "channels of x and w: 4 != 3"));
  EXPECT_TRUE(says(refusal("conv", {x, normal({2, 4, 9, 9})}, plain), "negative size"));
  EXPECT_TRUE(says(refusal("conv", {x, normal({2, 4, 3, 3}), normal({3})}, plain), "bias and output channels"));
  EXPECT_TRUE(says(refusal("conv", {x, normal({2, 4, 3, 3})}, ConvAttributes{{1, 1}, {1, 1}, {0, 0}, 1}), "2 pads"));
  EXPECT_TRUE(
      says(refusal("conv", {x, normal({3, 2, 3, 3})}, ConvAttributes{{1, 1}, {1, 1}, {0, 0, 0, 0}, 2}), "2 groups"));
  EXPECT_TRUE(says(refusal("max_pool", {x}, MaxPoolAttributes{{2}, {1, 1}, {1, 1}, {0, 0, 0, 0}, false, false}),
                   "1 kernel sizes"));
}

TEST(Refuse, RowOps) {
  EXPECT_TRUE(says(refusal("reduce_sum", {normal({2, 3})}, ReduceAttributes{{1, 0}, true}), "must ascend"));
  EXPECT_TRUE(says(refusal("reduce_sum", {normal({2, 3})}, ReduceAttributes{{2}, true}), "must ascend"));
  EXPECT_TRUE(says(refusal("softmax", {normal({2, 3})}, SoftmaxAttributes{2}), "axis 2"));
  EXPECT_TRUE(says(refusal("layer_norm", {normal({2, 4}), normal({2, 2, 4})}, LayerNormAttributes{1, 0.1}),
                   "does not broadcast"));
  EXPECT_TRUE(says(refusal("group_norm", {normal({2, 4, 2}), normal({4}), normal({4})}, GroupNormAttributes{3, 0.1}),
                   "3 groups"));
}

TEST(Refuse, ResizeOfIntegers) {
  ResizeAttributes a;
  a.sizes = {Dim(4)};
  a.mode = "linear";
  EXPECT_TRUE(says(refusal("resize", {integers(DType::i32, {2}, 0, 9)}, a), "cast it"));
  a.mode = "lanczos";
  EXPECT_TRUE(says(refusal("resize", {normal({2})}, a), "lanczos"));
}

TEST(Window, SymbolicSizes) {
  OpTable table;
  add_all_ops(table);
  Graph graph(table);
  const Dim h = graph.new_symbol("H", 8);
  Value* x = graph.add_input("x", DType::f32, {Dim(1), Dim(3), h, h});
  Builder b(graph);
  Tensor weights = Tensor::allocate(DType::f32, {4, 3, 3, 3});
  fill_normal(weights, 1);
  Value* w = graph.add_constant(weights);
  EXPECT_EQ(b.op("conv", {x, w}, ConvAttributes{{2, 2}, {1, 1}, {1, 1, 1, 1}, 1})->shape()[2],
            floordiv(h - Dim(1), 2) + Dim(1));
  EXPECT_EQ(b.op("conv", {x, w}, ConvAttributes{{1, 1}, {1, 1}, {1, 1, 1, 1}, 1})->shape()[3], h);
}

}  // namespace
}  // namespace narae
