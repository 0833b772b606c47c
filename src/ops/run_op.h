// SPDX-License-Identifier: Apache-2.0
// For tests: one node on host tensors, by its shape rule and its reference.
#pragma once

#include "graph/builder.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {

// An input without data stands for an absent optional operand.
template <typename A>
std::vector<Tensor> run_op(const char* name, const std::vector<Tensor>& inputs, A attributes, int outputs = 1) {
  OpTable table;
  add_all_ops(table);
  Graph graph(table);
  std::vector<Value*> operands;
  std::vector<Tensor> present;
  for (const Tensor& input : inputs) {
    operands.push_back(
        input.data ? graph.add_input(fmt::format("x{}", operands.size()), input.dtype, to_shape(input.dims)) : nullptr);
    if (input.data) present.push_back(input);
  }
  Builder builder(graph);
  for (Value* value : builder.node(name, operands, std::move(attributes), outputs)->outputs()) graph.add_output(value);
  graph.verify();
  return interpret(graph, present);
}

// Small exact numbers without a short period: element i is scale * (37 (i + seed) mod 23 - 11).
inline Tensor pattern(Dims dims, int64_t seed, double scale = 0.25, DType dtype = DType::f32) {
  Tensor tensor = Tensor::allocate(dtype, std::move(dims));
  for (int64_t i = 0; i < tensor.count(); ++i) {
    set_element(tensor, i, scale * static_cast<double>((i + seed) * 37 % 23 - 11));
  }
  return tensor;
}

}  // namespace narae
