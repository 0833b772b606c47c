// SPDX-License-Identifier: Apache-2.0
// A graph while modules write it: Narae's ops as thin functions over Builder, and one constant per parameter however
// often it is asked for. Fusing is left to passes.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/builder.h"
#include "nn/parameter.h"

namespace narae::nn {

class Net {
 public:
  explicit Net(Graph& graph) : graph_(graph), builder_(graph) {}
  Graph& graph() { return graph_; }
  Builder& builder() { return builder_; }
  // Nodes that follow stand for this part of the model, as explain prints it.
  void at(const std::string& name) { builder_.set_origins({name}); }

  // The constant of this name; the first call makes it.
  Value* constant(const std::string& name, const std::function<Tensor()>& make);
  Value* stored(const Parameter& parameter);  // in the stored type; blocks as u8 rows
  Value* f32(const Parameter& parameter);     // decoded or cast
  // Rows of a matrix picked by i32 or i64 ids: the stored rows are gathered, and only these decoded.
  Value* rows(const Parameter& table, Value* ids);

  Value* add(Value* a, Value* b) { return builder_.op("add", {a, b}); }
  Value* sub(Value* a, Value* b) { return builder_.op("sub", {a, b}); }
  Value* mul(Value* a, Value* b) { return builder_.op("mul", {a, b}); }
  Value* mul(Value* a, double b) { return mul(a, builder_.scalar(b)); }
  Value* unary(std::string_view op, Value* x) { return builder_.op(op, {x}); }
  // x [.., K] times weight [N, K] -> [.., N]
  Value* linear(Value* x, Value* weight);
  Value* matmul(Value* a, Value* b, bool transpose_b = false);
  Value* reshape(Value* x, Shape shape);
  Value* transpose(Value* x, std::vector<int64_t> order);
  Value* gather(Value* x, Value* ids);  // slices of axis 0
  Value* cast(Value* x, DType dtype);
  Value* softmax(Value* x);  // over the last axis
  Value* reduce_sum(Value* x, int64_t axis, bool keepdims);
  Value* iota(const Dim& count);  // 0, 1, .. count - 1 as i64

 private:
  Graph& graph_;
  Builder builder_;
  std::map<std::pair<std::string, bool>, Value*> parameters_;  // by name; true: decoded
};

}  // namespace narae::nn
