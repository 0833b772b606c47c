// SPDX-License-Identifier: Apache-2.0
// Hard sigmoid written out, clip(a x + b, 0, 1) or clip(x + 3, 0, 6) / 6, and hard swish, x times that with a = 1/6, b
// = 1/2, its factors in any order. https://arxiv.org/abs/1905.02244
#include "ops/unary.h"
#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {
namespace {

bool is_clip(const Node* node, double low, double high) {
  if (!node || !node->is("clip")) return false;
  const auto& bounds = node->attributes<ClipAttributes>();
  return bounds.low == low && bounds.high == high;
}

// x of clip(x + 3, 0, 6); null: `value` is something else, or is read elsewhere too.
Value* relu6_plus_3(const Rewriter& rewriter, const Value* value) {
  const Node* clip = rewriter.made_only_for(value, "clip");
  return is_clip(clip, 0, 6) ? other_than_scalar(clip->input(0)->producer(), "add", 3.0) : nullptr;
}

Value* hard_sigmoid(Rewriter& rewriter, Node* node) {
  if (const Value* clipped = other_than_scalar(node, "mul", 1.0 / 6)) {
    Value* x = relu6_plus_3(rewriter, clipped);
    return x ? rewriter.before(node).op("hard_sigmoid", {x}, HardSigmoidAttributes{1.0 / 6, 0.5}) : nullptr;
  }
  if (!is_clip(node, 0, 1)) return nullptr;
  const Node* add = rewriter.made_only_for(node->input(0), "add");
  const WithScalar shift = add ? with_scalar(add) : WithScalar();
  const Node* mul = shift ? rewriter.made_only_for(shift.other, "mul") : nullptr;
  const WithScalar scale = mul ? with_scalar(mul) : WithScalar();
  if (!scale) return nullptr;
  return rewriter.before(node).op("hard_sigmoid", {scale.other}, HardSigmoidAttributes{scale.scalar, shift.scalar});
}

bool is_swish_gate(const Node* node) {
  if (!node || !node->is("hard_sigmoid")) return false;
  const auto& a = node->attributes<HardSigmoidAttributes>();
  return close_to(a.alpha, 1.0 / 6) && a.beta == 0.5;
}

Value* hard_swish(Rewriter& rewriter, Node* node) {
  if (!node->is("mul")) return nullptr;
  const Node* product = node;
  if (const Value* six = other_than_scalar(node, "mul", 1.0 / 6)) product = rewriter.made_only_for(six, "mul");
  for (size_t i = 0; product && i < 2; ++i) {
    Value* x = product->input(1 - i);
    const bool match = product == node ? is_swish_gate(rewriter.made_only_for(product->input(i), "hard_sigmoid")) &&
                                             product->input(i)->producer()->input(0) == x
                                       : relu6_plus_3(rewriter, product->input(i)) == x;
    if (match) return rewriter.before(node).op("hard_swish", {x});
  }
  return nullptr;
}

}  // namespace

bool find_hard_swish(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    if ((!node->is("mul") && !node->is("clip")) || node->output()->dtype() != DType::f32 || node->output()->keep())
      return;
    Value* y = hard_swish(rewriter, node);
    if (!y) y = hard_sigmoid(rewriter, node);
    if (!y) return;
    context.fused("pointwise", {node->input(0)->producer() ? node->input(0)->producer()->label() : "", node->label()},
                  y->producer()->op().name);
    rewriter.replace(node->output(), y);
  });
}

}  // namespace narae::passes
