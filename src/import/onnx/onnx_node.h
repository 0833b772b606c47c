// SPDX-License-Identifier: Apache-2.0
// What the function of an ONNX operator sees of its node: operands as Values, attributes by type, and operands that
// must be known. An attribute that is present and never asked for is an error, so nothing of a model is dropped
// silently.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "import/onnx/emit.h"
#include "import/onnx/model_proto.h"
#include "import/onnx/tensor_data.h"

namespace narae::onnx {

using Results = std::vector<Value*>;

// The names that one graph, or one call of a function, sees.
struct Scope {
  std::unordered_map<std::string_view, Value*> values;
  std::unordered_map<std::string_view, const AttributeProto*> attributes;  // of the call, for ref_attr_name
  std::unordered_map<std::string_view, int64_t> opsets;                    // "" is ai.onnx
  std::string prefix;                                                      // of node labels
};

class OnnxNode {
 public:
  OnnxNode(Emit& emit, TensorSource& source, const Scope& scope, const NodeProto& proto, std::string_view narae_op);

  Emit& emit() const { return emit_; }
  std::string_view op_type() const { return proto_.op_type; }
  std::string_view narae_op() const { return narae_op_; }  // second column of onnx_ops.inc, where there is one
  int64_t opset() const { return opset_; }

  size_t input_count() const { return proto_.inputs.size(); }
  bool has(size_t i) const { return optional(i) != nullptr; }
  Value* in(size_t i) const;        // Error bad_file where absent
  Value* optional(size_t i) const;  // null where absent
  Results inputs() const;           // all of them, each present
  size_t output_count() const { return proto_.outputs.size(); }
  bool wants(size_t i) const { return i < proto_.outputs.size() && !proto_.outputs[i].empty(); }

  bool has_attribute(std::string_view name) const;
  int64_t integer(std::string_view name, std::optional<int64_t> otherwise = {}) const;
  double number(std::string_view name, std::optional<double> otherwise = {}) const;
  std::string text(std::string_view name, std::optional<std::string> otherwise = {}) const;
  std::vector<int64_t> integers(std::string_view name) const;  // empty where absent
  std::vector<double> numbers(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  Tensor tensor(std::string_view name) const;
  void ignore(std::initializer_list<std::string_view> names) const;  // known to change nothing
  void check_all_read() const;

  // The value of an operand that must be known when the model is imported. Error bad_file names operand `i` otherwise.
  Tensor constant(size_t i, std::string_view what) const;
  std::vector<int64_t> constant_integers(size_t i, std::string_view what) const;
  double constant_number(size_t i, std::string_view what) const;
  // From the attribute where it is given (older opsets), else from operand `i`; nothing where neither is there.
  std::optional<std::vector<int64_t>> integers_or_operand(std::string_view name, size_t i) const;
  // Contents of an operand that decides a shape: numbers, or Dims over the graph's symbols.
  std::vector<Dim> dims(size_t i, std::string_view what) const;

 private:
  const AttributeProto* find(std::string_view name, AttributeType type) const;

  Emit& emit_;
  TensorSource& source_;
  const Scope& scope_;
  const NodeProto& proto_;
  std::string_view narae_op_;
  int64_t opset_ = 0;
  mutable std::set<std::string_view> read_;
};

// 0 <= result < rank; Error bad_file for an axis outside [-rank, rank).
size_t normal_axis(int64_t axis, size_t rank);
std::vector<int64_t> normal_axes(const std::vector<int64_t>& axes, size_t rank);  // sorted; an axis twice is an Error

}  // namespace narae::onnx
