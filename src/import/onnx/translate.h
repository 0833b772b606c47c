// SPDX-License-Identifier: Apache-2.0
// Walks the nodes of an ONNX graph in order and calls the function of each operator; calls of local functions are
// inlined. Before anything is built, every operator that is missing is found.
#pragma once

#include <map>
#include <string>

#include "import/onnx/onnx_ops.h"

namespace narae::onnx {

class Translation {
 public:
  Translation(const ModelProto& model, TensorSource& source, Graph& graph);
  void run();

 private:
  const FunctionProto* find_function(const NodeProto& node) const;
  void collect_missing(const std::vector<NodeProto>& nodes, int depth,
                       std::map<std::string, std::pair<int, std::string>>& missing) const;
  void refuse_missing() const;
  void add_constants();
  void add_inputs();
  Dim dim_of(const Dimension& dimension, std::string_view input, size_t axis);
  void symbolise_inputs();
  void run_nodes(const std::vector<NodeProto>& nodes, Scope& scope, const std::vector<std::string_view>& given,
                 int depth);
  void run_node(const NodeProto& node, Scope& scope, const std::string& label, int depth);
  void call_function(const FunctionProto& function, const NodeProto& call, Scope& caller, const std::string& label,
                     int depth);
  void add_outputs();

  const ModelProto& model_;
  TensorSource& source_;
  Graph& graph_;
  Builder builder_;
  Emit emit_;
  Scope scope_;
  std::unordered_map<std::string, Dim> symbols_;  // by dim_param
  std::map<std::string, const FunctionProto*> functions_;
  size_t node_count_ = 0;
};

}  // namespace narae::onnx
