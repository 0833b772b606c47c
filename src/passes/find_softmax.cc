// SPDX-License-Identifier: Apache-2.0
// Softmax written out: exp(x - max) / sum(exp(x - max)) along one axis. Without the maximum it is the same function,
// and softmax is then the one that does not overflow.
#include "ops/reduce.h"
#include "ops/softmax.h"
#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {
namespace {

// The reduction `op` of one axis behind `value`, whose axis stays as a 1 or is put back by a reshape.
const Node* reduction(const Rewriter& rewriter, const Value* value, std::string_view op, const Value* of) {
  const Node* node = rewriter.made_by(value, op);
  if (!node) {
    if (const Node* view = rewriter.made_by(value, "reshape")) node = rewriter.made_by(view->input(0), op);
  }
  if (!node || node->input(0) != of || node->attributes<ReduceAttributes>().axes.size() != 1) return nullptr;
  Shape kept = of->shape();
  kept[static_cast<size_t>(node->attributes<ReduceAttributes>().axes[0])] = Dim(1);
  return value->shape() == kept ? node : nullptr;
}

// x and the axis of what `node` divides; null: no softmax.
Value* match(const Rewriter& rewriter, const Node& node, int64_t& axis) {
  const Value *e = node.input(0), *s = node.input(1);
  if (node.is("mul")) {
    const Node* inverse = rewriter.made_by(s, "reciprocal");
    if (!inverse) std::swap(e, s);
    inverse = rewriter.made_by(s, "reciprocal");
    if (!inverse) return nullptr;
    s = inverse->input(0);
  }
  const Node* exp = rewriter.made_by(e, "exp");
  const Node* sum = exp ? reduction(rewriter, s, "reduce_sum", e) : nullptr;
  if (!sum || rewriter.is_result(e) || e->users().size() != 2) return nullptr;
  axis = sum->attributes<ReduceAttributes>().axes[0];
  Value* z = exp->input(0);
  const Node* minus = rewriter.made_by(z, "sub");
  const Node* max = minus ? reduction(rewriter, minus->input(1), "reduce_max", minus->input(0)) : nullptr;
  return max && max->attributes<ReduceAttributes>().axes[0] == axis ? minus->input(0) : z;
}

}  // namespace

bool find_softmax(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    if ((!node->is("div") && !node->is("mul")) || node->output()->dtype() != DType::f32 || node->output()->keep())
      return;
    int64_t axis = 0;
    Value* x = match(rewriter, *node, axis);
    if (!x || !same_type(x, node->output())) return;
    Value* y = rewriter.before(node).op("softmax", {x}, SoftmaxAttributes{axis});
    context.fused("norm", {node->input(0)->producer()->label(), node->label()}, "softmax");
    rewriter.replace(node->output(), y);
  });
}

}  // namespace narae::passes
