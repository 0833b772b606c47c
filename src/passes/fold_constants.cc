// SPDX-License-Identifier: Apache-2.0
// Computes small results of constants now. Folds of a weight's size stay as ordinary nodes: they are the constant part,
// evaluated at load by the device's own kernels and shared by all Sessions.
#include <algorithm>

#include "base/error.h"
#include "ops/interpret.h"
#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {
namespace {

bool foldable(const Node& node, const PassContext& context) {
  if (node.op().has(op_has_body)) return false;
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

bool fold_constants(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  for (Node *node = graph.first(), *next = nullptr; node; node = next) {
    next = node->next();
    ++context.visited;
    if (!foldable(*node, context)) continue;
    std::vector<Tensor> operands, results;
    for (const Value* value : node->inputs()) operands.push_back(value ? value->tensor() : Tensor());
    try {
      results = run_reference(*node, operands, constant_dim);
    } catch (const Error&) {
      continue;  // it may never run; if it does, the error comes with its place
    }
    std::vector<Value*> constants;
    for (size_t i = 0; i < results.size(); ++i) {
      constants.push_back(graph.add_constant(std::move(results[i]), node->output(i)->name()));
    }
    rewriter.replace(node, constants);
  }
  return rewriter.changed();
}

}  // namespace narae::passes
