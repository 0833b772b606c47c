// SPDX-License-Identifier: Apache-2.0
// Short form of Graph::add_node for importers, passes, decompositions and tests. Every node made carries `origins`.
#pragma once

#include <initializer_list>

#include "graph/graph.h"

namespace narae {

class Builder {
 public:
  // `before` null: nodes go to the end.
  explicit Builder(Graph& graph, Node* before = nullptr) : graph_(graph), before_(before) {}
  Graph& graph() { return graph_; }
  void set_origins(std::set<std::string> origins) { origins_ = std::move(origins); }

  // The first result of `op(inputs)`.
  Value* op(std::string_view name, std::vector<Value*> inputs) {
    return node(name, std::move(inputs), NoAttributes{})->output(0);
  }
  template <typename T>
  Value* op(std::string_view name, std::vector<Value*> inputs, T attributes) {
    return node(name, std::move(inputs), std::move(attributes))->output(0);
  }
  template <typename T>
  Node* node(std::string_view name, std::vector<Value*> inputs, T attributes, int outputs = 1) {  // NOLINT: moved on
    Node* made = graph_.add_node(graph_.ops().get(name), make_attributes(std::move(attributes)), std::move(inputs),
                                 outputs, before_);
    made->add_origins(origins_);
    return made;
  }
  // A scalar constant of `dtype`.
  Value* scalar(double value, DType dtype = DType::f32) {
    Tensor tensor = Tensor::allocate(dtype, {});
    set_element(tensor, 0, value);
    return graph_.add_constant(std::move(tensor));
  }
  Value* constant_i64(const std::vector<int64_t>& values) {
    return graph_.add_constant(Tensor::of<int64_t>(DType::i64, {static_cast<int64_t>(values.size())}, values));
  }

 private:
  Graph& graph_;
  Node* before_;
  std::set<std::string> origins_;
};

}  // namespace narae
