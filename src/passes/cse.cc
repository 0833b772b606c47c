// SPDX-License-Identifier: Apache-2.0
// Common subexpressions: two nodes of one op with equal attributes on equal operands are one. Constants keep their own
// Values (one with thousands of readers would make every edit slow); small ones count as equal by contents, large ones
// when they are the same bytes of memory.
#include <algorithm>

#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {
namespace {

class Numbers {
 public:
  std::string of(const Value* value) {
    if (!value) return "_";
    const auto [it, fresh] = numbers_.emplace(value, 0);
    if (fresh)
      it->second = value->is_constant() ? constants_.emplace(text_of(value->tensor()), next_++).first->second : next_++;
    return std::to_string(it->second);
  }

 private:
  static std::string text_of(const Tensor& tensor) {
    std::string text = std::string(dtype_name(tensor.dtype)) + dims_text(tensor.dims);
    if (tensor.bytes() <= 256) return text + "=" + std::string(static_cast<const char*>(tensor.data), tensor.bytes());
    return fmt::format("{}@{}", text, tensor.data);
  }
  std::unordered_map<const Value*, int64_t> numbers_;
  std::unordered_map<std::string, int64_t> constants_;
  int64_t next_ = 0;
};

std::string key_of(const Node& node, Numbers& numbers) {
  std::vector<std::string> operands;
  for (const Value* value : node.inputs()) operands.push_back(numbers.of(value));
  if (node.op().has(op_commutative)) std::sort(operands.begin(), operands.end());
  std::string key = fmt::format("{}/{}", node.op().name, node.outputs().size());
  for (const std::string& operand : operands) key += "," + operand;
  return key + node.attribute_box()->text();
}

}  // namespace

bool cse(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  Numbers numbers;
  std::unordered_map<std::string, Node*> known;
  return rewriter.each([&](Node* node) {
    if (node->op().has(op_random) || node->op().has(op_has_body)) return;
    Node*& first = known[key_of(*node, numbers)];
    if (!first) {
      first = node;
      return;
    }
    const std::set<std::string> origins = node->origins();
    if (rewriter.replace(node, first->outputs())) first->add_origins(origins);
  });
}

}  // namespace narae::passes
