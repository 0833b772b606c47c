// SPDX-License-Identifier: Apache-2.0
// Shape -> Gather -> Concat chains: values whose contents are known as Dims become constants, or one `dims` node where
// a symbol remains. What consumes them as sizes holds the Dims in its attributes already, so most such nodes just die.
#include <algorithm>

#include "ops/dims.h"
#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {
namespace {

Value* known_value(Rewriter& rewriter, Node* node, const Value* value) {
  const std::vector<Dim>& contents = *value->contents();
  const bool constant = std::all_of(contents.begin(), contents.end(), [](const Dim& dim) { return dim.is_constant(); });
  if (!constant)
    return rewriter.before(node).op("dims", {}, DimsAttributes{contents, value->rank() == 0, value->dtype()});
  Tensor tensor = Tensor::allocate(value->dtype(), static_dims(value->shape()));
  for (size_t i = 0; i < contents.size(); ++i) {
    if (value->dtype() == DType::i64 || value->dtype() == DType::u64) {
      tensor.as<int64_t>()[i] = contents[i].value();  // a double would lose bits
    } else {
      set_element(tensor, static_cast<int64_t>(i), static_cast<double>(contents[i].value()));
    }
  }
  return rewriter.graph().add_constant(std::move(tensor), value->name());
}

}  // namespace

bool fold_shapes(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  std::vector<Node*> candidates;
  for (Node* node = graph.first(); node; node = node->next()) {
    ++context.visited;
    const bool known = std::all_of(node->outputs().begin(), node->outputs().end(), [](const Value* value) {
      return value->contents() && is_integer(value->dtype()) && is_static(value->shape());
    });
    if (known && !node->is("dims")) candidates.push_back(node);
  }
  for (Node* node : candidates) {
    for (size_t i = 0; i < node->outputs().size(); ++i) {
      Value* value = node->output(i);
      // Only what something else than shape arithmetic reads needs a value of its own.
      const bool read =
          rewriter.is_output(value) || std::any_of(value->users().begin(), value->users().end(), [](Node* user) {
            return std::any_of(user->outputs().begin(), user->outputs().end(),
                               [](const Value* v) { return !v->contents(); });
          });
      if (!read || value->keep()) continue;
      Value* fresh = known_value(rewriter, node, value);
      graph.replace_uses(value, fresh);
      rewriter.set_changed();
    }
  }
  if (graph.erase_dead() > 0) rewriter.set_changed();
  return rewriter.changed();
}

}  // namespace narae::passes
