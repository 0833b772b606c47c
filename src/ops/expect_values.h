// SPDX-License-Identifier: Apache-2.0
// For tests: a tensor against numbers, and a decomposition against the reference it stands for.
#pragma once

#include <gtest/gtest.h>

#include "ops/run_op.h"

namespace narae {

inline void expect_values(const Tensor& got, const Dims& dims, const std::vector<double>& values,
                          double tolerance = 1e-5) {
  ASSERT_EQ(got.dims, dims);
  ASSERT_EQ(static_cast<size_t>(got.count()), values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(element_as_double(got, static_cast<int64_t>(i)), values[i], tolerance) << "element " << i;
  }
}

template <typename A>
void expect_same_decomposed(const char* name, const std::vector<Tensor>& inputs, A attributes, int outputs = 1) {
  SCOPED_TRACE(name);
  OpTable table;
  add_all_ops(table);
  Graph graph(table);
  std::vector<Value*> operands;
  for (const Tensor& input : inputs) operands.push_back(graph.add_input("x", input.dtype, to_shape(input.dims)));
  Builder builder(graph);
  const Node* node = builder.node(name, operands, attributes, outputs);
  ASSERT_NE(node->op().decompose, nullptr);
  const std::vector<Value*> parts = node->op().decompose(builder, *node);
  ASSERT_EQ(parts.size(), node->outputs().size());
  for (Value* value : node->outputs()) graph.add_output(value);
  for (Value* value : parts) graph.add_output(value);
  graph.verify();
  const auto y = interpret(graph, inputs);
  for (size_t k = 0; k < parts.size(); ++k) {
    const Tensor &whole = y[k], &made = y[k + parts.size()];
    EXPECT_EQ(whole.dtype, made.dtype);
    ASSERT_EQ(whole.dims, made.dims);
    for (int64_t i = 0; i < whole.count(); ++i) {
      EXPECT_NEAR(element_as_double(whole, i), element_as_double(made, i), 1e-5) << "result " << k << " element " << i;
    }
  }
}

}  // namespace narae
