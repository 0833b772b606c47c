// SPDX-License-Identifier: Apache-2.0
// A multiplication or addition of one number per channel, just before a convolution with constant weights, goes into
// its weights and bias: w' = w * m along the input channels, b' = b + sum(w * a). The one thing not to get wrong: the
// convolution pads with zeros after the addition, so a shift may only go where nothing is padded.
#include <algorithm>

#include "ops/conv.h"
#include "ops/reduce.h"
#include "passes/channels.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

class Folding {
 public:
  explicit Folding(Rewriter& rewriter) : rewriter_(rewriter) {}

  void visit(Node* conv) {
    while (conv && conv->is("conv") && !rewriter_.constant(conv) && conv->output()->dtype() == DType::f32) {
      conv = absorb_operand(conv);
    }
  }

 private:
  // The convolution that took in what makes its operand; null: there was nothing to take.
  Node* absorb_operand(Node* conv) {
    ++rewriter_.context().visited;
    const Value* x = conv->input(0);
    Node* node = x->producer();
    if (!node || !rewriter_.read_once(x) || !(node->is("mul") || node->is("add"))) return nullptr;
    if (!has_own_weights(rewriter_, *conv) || !one_channel_each(*conv)) return nullptr;
    const auto& pads = conv->attributes<ConvAttributes>().pads;
    if (node->is("add") && std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad != 0; })) return nullptr;
    for (size_t i = 0; i < 2; ++i) {
      Value *other = node->input(i), *numbers = node->input(1 - i);
      if (!rewriter_.constant(numbers) || rewriter_.constant(other) || other->shape() != x->shape()) continue;
      ConstantBuilder builder(rewriter_, conv);
      Value* channels = per_channel(builder, numbers, x->shape(), 1);
      return channels ? absorb(conv, node, other, channels) : nullptr;
    }
    return nullptr;
  }

  // Each number of the operand belongs to one axis of the weights: groups are all channels or one each.
  static bool one_channel_each(const Node& conv) {
    const int64_t groups = conv.attributes<ConvAttributes>().groups;
    const Shape &x = conv.input(0)->shape(), &w = conv.input(1)->shape();
    return groups == 1 || (x[1] == Dim(groups) && w[0] == Dim(groups));
  }

  Node* absorb(Node* conv, Node* node, Value* other, Value* channels) {
    ConstantBuilder builder(rewriter_, conv);
    std::vector<Value*> operands = conv->inputs();
    Value* w = operands[1];
    Shape along(w->shape().size(), Dim(1));
    along[conv->attributes<ConvAttributes>().groups == 1 ? 1 : 0] = channels->shape()[0];
    Value* scaled = builder.op("mul", {w, builder.reshape(channels, along)});
    operands[0] = other;
    if (node->is("mul")) {
      operands[1] = scaled;
    } else {
      ReduceAttributes sum{{}, false};
      for (size_t axis = 1; axis < along.size(); ++axis) sum.axes.push_back(static_cast<int64_t>(axis));
      Value* shift = builder.op("reduce_sum", {scaled}, sum);
      Value* bias = conv->input(2);
      operands.resize(3);
      operands[2] = bias ? builder.op("add", {bias, shift}) : shift;
    }
    Node* made = rewriter_.graph().add_node(&conv->op(), conv->attribute_box(), std::move(operands), 1, conv);
    made->add_origins(conv->origins());
    made->add_origins(node->origins());
    rewriter_.context().fused("prologue", {node->label(), conv->label()}, made->label());
    return rewriter_.replace(conv->output(), made->output()) ? made : nullptr;
  }

  Rewriter& rewriter_;
};

}  // namespace

bool fold_affine(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  Folding folding(rewriter);
  return rewriter.each([&](Node* node) { folding.visit(node); });
}

}  // namespace narae::passes
