// SPDX-License-Identifier: Apache-2.0
// Shape -> Gather -> Concat chains: values whose contents are known as Dims become constants, or one `dims` node where
// a symbol remains. What consumes them as sizes holds the Dims in its attributes already, so most such nodes just die.
#include <algorithm>

#include "ops/cast.h"
#include "ops/dims.h"
#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {
namespace {

Value* known_value(Rewriter& rewriter, Node* node, const Value* value) {
  const std::vector<Dim>& contents = *value->contents();
  const bool whole = is_integer(value->dtype());
  const bool constant = std::all_of(contents.begin(), contents.end(), [](const Dim& dim) { return dim.is_constant(); });
  if (!constant) {
    Builder builder = rewriter.before(node);
    const DType dtype = whole ? value->dtype() : DType::i64;
    Value* sizes = builder.op("dims", {}, DimsAttributes{contents, value->rank() == 0, dtype});
    return whole ? sizes : builder.op("cast", {sizes}, CastAttributes{value->dtype()});
  }
  Tensor tensor = Tensor::allocate(value->dtype(), static_dims(value->shape()));
  for (size_t i = 0; i < contents.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    if (whole) {
      set_integer(tensor, at, contents[i].value());
    } else {
      set_element(tensor, at, static_cast<double>(contents[i].value()));
    }
  }
  return rewriter.graph().add_constant(std::move(tensor), value->name());
}

// Whether the node reads its operands as sizes only: the contents of its results are known too.
bool only_sizes(const Node& node) {
  return std::all_of(node.outputs().begin(), node.outputs().end(), [](const Value* value) {
    return value->contents() && (is_integer(value->dtype()) || is_float(value->dtype())) && is_static(value->shape());
  });
}

}  // namespace

bool fold_shapes(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  std::vector<Node*> candidates;
  for (Node* node = graph.first(); node; node = node->next()) {
    ++context.visited;
    // A dims node, or a cast of one, is what it would become again.
    const bool settled = node->is("dims") || (node->is("cast") && rewriter.made_by(node->input(0), "dims"));
    if (!settled && only_sizes(*node)) candidates.push_back(node);
  }
  for (Node* node : candidates) {
    for (size_t i = 0; i < node->outputs().size(); ++i) {
      Value* value = node->output(i);
      // Only what something else than shape arithmetic reads needs a value of its own.
      const bool read = rewriter.is_output(value) || std::any_of(value->users().begin(), value->users().end(),
                                                                 [](const Node* user) { return !only_sizes(*user); });
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
