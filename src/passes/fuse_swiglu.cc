// SPDX-License-Identifier: Apache-2.0
// A gated unit: act(x * Gate) * (x * Up), both weights in blocks, becomes one body with two products, so that a kernel
// may bring the rows to 8 bits once and finish a strip of both while it is hot. Where values are stored in 16 bits
// weights as they are do as well. Where no kernel does it, the body is split.
#include "ops/matmul.h"
#include "passes/fused_body.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

// A product with a constant matrix [n][k] that only `value`'s reader needs.
Node* plain_product_of(const Rewriter& rewriter, const Value* value) {
  Node* node = rewriter.made_only_for(value, "matmul");
  if (!node || rewriter.constant(node) || !rewriter.constant(node->input(1)) || node->input(1)->rank() != 2)
    return nullptr;
  const auto& attributes = node->attributes<MatmulAttributes>();
  return attributes.transpose_b && !attributes.transpose_a ? node : nullptr;
}

// A body of fuse_blocks that only `value`'s reader needs: decoding and a product, nothing after it.
Node* product_of(const Rewriter& rewriter, const Value* value, bool plain) {
  if (plain) {
    if (Node* product = plain_product_of(rewriter, value)) return product;
  }
  Node* node = rewriter.made_only_for(value, "fused");
  if (!node || node->outputs().size() != 1 || rewriter.constant(node)) return nullptr;
  const Node* last = node->bodies()[0]->last();
  return last->is("matmul") && last->input(1)->producer() && last->input(1)->producer()->is("dequantize_blocks")
             ? node
             : nullptr;
}

// What the product of such a body multiplies; null: it is made inside.
const Value* rows_of(const Node& node) {
  if (node.is("matmul")) return node.input(0);
  const Graph& body = *node.bodies()[0];
  for (size_t i = 0; i < body.inputs().size(); ++i) {
    if (body.inputs()[i] == body.last()->input(0)) return node.input(i);
  }
  return nullptr;
}

struct Gated {
  Node *gate = nullptr, *act = nullptr, *up = nullptr;
};

Gated gated_unit(const Rewriter& rewriter, const Node& mul, bool plain) {
  for (const size_t side : {size_t{0}, size_t{1}}) {
    Node* act = mul.input(side)->producer();
    if (!act || act->inputs().size() != 1 || !scalar_f32(*act) || !rewriter.read_once(act->output())) continue;
    Node *gate = product_of(rewriter, act->input(0), plain), *up = product_of(rewriter, mul.input(1 - side), plain);
    if (gate && up && gate != up && rows_of(*gate) && rows_of(*gate) == rows_of(*up) &&
        same_type(gate->output(), up->output())) {
      return {gate, act, up};
    }
  }
  return {};
}

}  // namespace

bool fuse_swiglu(Graph& graph, const Target& target, PassContext& context) {
  const bool plain = target.narrow();
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    if (!node->is("mul") || !scalar_f32(*node) || rewriter.constant(node)) return;
    const Gated unit = gated_unit(rewriter, *node, plain);
    if (!unit.gate) return;
    std::vector<std::string> names{unit.gate->label(), unit.act->label(), unit.up->label(), node->label()};
    FusedBody body(graph);
    for (const Node* member : {unit.gate, unit.act, unit.up, node}) body.add(member);
    body.add_output(node->output());
    const Node* fused = body.finish(rewriter, "swiglu", node);
    context.fused("swiglu", std::move(names), fused->label());
  });
}

}  // namespace narae::passes
