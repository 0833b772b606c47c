// SPDX-License-Identifier: Apache-2.0
#include "passes/fold.h"

#include <algorithm>

#include "base/error.h"
#include "ops/expand.h"
#include "ops/interpret.h"
#include "ops/reshape.h"

namespace narae {
namespace {

bool foldable(const Node& node, const PassContext& context) {
  // Dequantised constants stay what they are: whoever reads them may want the integers.
  if (node.op().has(op_has_body) || node.is("dequantize")) return false;
  for (const Value* value : node.inputs()) {
    if (value && (!value->is_constant() || value->tensor().count() > context.fold_limit)) return false;
  }
  if (!depends_on_operands_only(node)) return false;
  return std::all_of(node.outputs().begin(), node.outputs().end(), [&](const Value* value) {
    return !value->keep() && element_count(static_dims(value->shape())) <= context.fold_limit;
  });
}

int64_t constant_dim(const Dim& dim) { return dim.value(); }

}  // namespace

std::vector<Value*> folded(Graph& graph, const Node& node, const PassContext& context) {
  if (!foldable(node, context)) return {};
  std::vector<Tensor> operands, results;
  for (const Value* value : node.inputs()) operands.push_back(value ? value->tensor() : Tensor());
  try {
    results = run_reference(node, operands, constant_dim);
  } catch (const Error&) {
    return {};  // it may never run; if it does, the error comes with its place
  }
  std::vector<Value*> constants;
  for (size_t i = 0; i < results.size(); ++i) {
    constants.push_back(graph.add_constant(std::move(results[i]), node.output(i)->name()));
  }
  return constants;
}

Value* ConstantBuilder::settle(Node* node) {
  const std::vector<Value*> constants = folded(rewriter_.graph(), *node, rewriter_.context());
  if (constants.empty()) {
    rewriter_.classify(node);
    return node->output();
  }
  rewriter_.graph().erase(node);
  return constants[0];
}

Value* ConstantBuilder::reshape(Value* value, const Shape& shape) {
  return value->shape() == shape ? value : op("reshape", {value}, ReshapeAttributes{shape});
}

Value* ConstantBuilder::expand(Value* value, const Shape& shape) {
  return value->shape() == shape ? value : op("expand", {value}, ExpandAttributes{shape});
}

}  // namespace narae
