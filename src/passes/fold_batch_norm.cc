// SPDX-License-Identifier: Apache-2.0
// batch_norm, and any multiplication or addition of one number per channel, behind a convolution or matrix product with
// constant weights goes into weights and bias: w' = w * m, b' = b * m + a. What remains of a batch_norm is one
// multiplication and one addition.
#include <algorithm>

#include "ops/batch_norm.h"
#include "ops/conv.h"
#include "ops/matmul.h"
#include "passes/channels.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

struct Affine {  // y = x * factor + offset; null: 1 or 0
  Value* factor = nullptr;
  Value* offset = nullptr;
};

// The axis of the result that the output channels are on.
size_t channel_axis(const Node& anchor) { return anchor.is("matmul") ? anchor.output()->shape().size() - 1 : 1; }

Affine affine_of_batch_norm(ConstantBuilder& builder, const Node& node) {
  Value *scale = node.input(1), *bias = node.input(2), *mean = node.input(3), *variance = node.input(4);
  Value* epsilon = builder.scalar(node.attributes<BatchNormAttributes>().epsilon);
  Affine affine;
  affine.factor = builder.op("div", {scale, builder.op("sqrt", {builder.op("add", {variance, epsilon})})});
  affine.offset = builder.op("sub", {bias, builder.op("mul", {mean, affine.factor})});
  return affine;
}

class Folding {
 public:
  explicit Folding(Rewriter& rewriter) : rewriter_(rewriter) {}

  void visit(Node* node) {
    if (rewriter_.constant(node) || node->outputs().size() != 1 || node->output()->dtype() != DType::f32) return;
    if (node->is("batch_norm")) {
      const bool constant = std::all_of(node->inputs().begin() + 1, node->inputs().end(), [&](const Value* value) {
        return rewriter_.constant(value) && value->dtype() == DType::f32;
      });
      if (constant) batch_norm(node);
    } else if (node->is("mul") || node->is("add")) {
      scale_or_shift(node);
    }
  }

 private:
  void batch_norm(Node* node) {
    Value* x = node->input(0);
    const Shape& shape = x->shape();
    if (shape.size() < 2) return;
    ConstantBuilder builder(rewriter_, node);
    const Affine affine = affine_of_batch_norm(builder, *node);
    const std::string name = node->label();
    Node* anchor = anchor_of(x);
    if (anchor && channel_axis(*anchor) == 1 && (!anchor->is("matmul") || shape.size() == 2)) {
      absorb(anchor, node, affine);
      return;
    }
    Shape along(shape.size() - 1, Dim(1));
    along[0] = shape[1];
    Builder run_time = rewriter_.before(node);
    Value* scaled = run_time.op("mul", {x, builder.reshape(affine.factor, along)});
    rewriter_.context().fused("norm", {name}, "mul + add");
    rewriter_.replace(node->output(), run_time.op("add", {scaled, builder.reshape(affine.offset, along)}));
  }

  void scale_or_shift(Node* node) {
    for (size_t i = 0; i < 2; ++i) {
      Value *x = node->input(i), *c = node->input(1 - i);
      if (!rewriter_.constant(c) || x->shape() != node->output()->shape()) continue;
      Node* anchor = anchor_of(x);
      // A matrix product has no bias of its own: an addition stays for its epilogue.
      if (!anchor || (anchor->is("matmul") && node->is("add"))) return;
      ConstantBuilder builder(rewriter_, node);
      Value* channels = per_channel(builder, c, x->shape(), channel_axis(*anchor));
      if (!channels) return;
      absorb(anchor, node, node->is("mul") ? Affine{channels, nullptr} : Affine{nullptr, channels});
      return;
    }
  }

  // The contraction that makes `x` for one reader, with weights of its own that may be scaled; null: there is none.
  Node* anchor_of(const Value* x) const {
    Node* node = x->producer();
    ++rewriter_.context().visited;
    if (!node || !rewriter_.read_once(x) || x->dtype() != DType::f32) return nullptr;
    if (!has_own_weights(rewriter_, *node)) return nullptr;
    if (node->is("conv_transpose") && node->attributes<ConvTransposeAttributes>().groups != 1) return nullptr;
    return node->is("matmul") && node->input(1)->shape().size() != 2 ? nullptr : node;
  }

  Value* scaled_weights(ConstantBuilder& builder, const Node& anchor, Value* factor) {
    Value* w = anchor.input(1);
    Shape along(w->shape().size(), Dim(1));
    size_t axis = anchor.is("conv") ? 0 : 1;
    if (anchor.is("matmul") && anchor.attributes<MatmulAttributes>().transpose_b) axis = 0;
    along[axis] = factor->shape()[0];
    return builder.op("mul", {w, builder.reshape(factor, along)});
  }

  // anchor, then `node` computing `affine` on its result: one anchor.
  void absorb(Node* anchor, Node* node, const Affine& affine) {
    ConstantBuilder builder(rewriter_, node);
    std::vector<Value*> operands = anchor->inputs();
    Value* bias = anchor->input(2);
    if (affine.factor) {
      operands[1] = scaled_weights(builder, *anchor, affine.factor);
      if (bias) bias = builder.op("mul", {bias, affine.factor});
    }
    if (affine.offset) bias = bias ? builder.op("add", {bias, affine.offset}) : affine.offset;
    const bool addition = anchor->is("matmul") && bias;
    if (bias && !addition) {
      operands.resize(3);
      operands[2] = bias;
    }
    Graph& graph = rewriter_.graph();
    Node* made = graph.add_node(&anchor->op(), anchor->attribute_box(), std::move(operands), 1, node);
    made->add_origins(anchor->origins());
    made->add_origins(node->origins());
    rewriter_.context().fused("epilogue", {anchor->label(), node->label()}, made->label());
    rewriter_.replace(node->output(),
                      addition ? rewriter_.before(node).op("add", {made->output(), bias}) : made->output());
  }

  Rewriter& rewriter_;
};

}  // namespace

bool fold_batch_norm(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  Folding folding(rewriter);
  return rewriter.each([&](Node* node) { folding.visit(node); });
}

}  // namespace narae::passes
