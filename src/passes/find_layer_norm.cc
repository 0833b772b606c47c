// SPDX-License-Identifier: Apache-2.0
// Layer and RMS normalisation written out over trailing axes:
//   d = x - mean(x); d / sqrt(mean(d^2) + epsilon) * scale + bias          (layer_norm; the bias is optional)
//   x / sqrt(mean(x^2) + epsilon) * scale                                  (rms_norm)
// The division may be a multiplication by rsqrt. https://arxiv.org/abs/1607.06450, https://arxiv.org/abs/1910.07467
#include "ops/layer_norm.h"
#include "ops/reduce.h"
#include "passes/fold.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

// Whether `value` is the mean of `of` over the axes from `axis` on; an axis of -1 is set to what it is.
const Node* mean_of(const Rewriter& rewriter, const Value* value, int64_t& axis) {
  const Node* node = rewriter.made_by(value, "reduce_mean");
  if (!node || !node->attributes<ReduceAttributes>().keepdims) return nullptr;
  const auto& axes = node->attributes<ReduceAttributes>().axes;
  const int64_t first = node->input(0)->rank() - static_cast<int64_t>(axes.size());
  if (axes.empty() || axes[0] != first || (axis >= 0 && axis != first)) return nullptr;
  axis = first;
  return node;
}

struct Normalised {
  Value* x = nullptr;  // null: no match
  int64_t axis = -1;
  double epsilon = 0;
  bool centred = false;
};

// d and the node that makes mean(d^2) + epsilon of d / sqrt(..) or d * rsqrt(..).
const Node* variance_of(const Rewriter& rewriter, const Node& node, Value*& d) {
  for (size_t i = 0; i < 2; ++i) {
    const Node* root = nullptr;
    if (node.is("div") && i == 1) {
      root = rewriter.made_by(node.input(1), "sqrt");
    } else if (node.is("mul")) {
      root = rewriter.made_by(node.input(i), "rsqrt");
    }
    if (!root) continue;
    d = node.input(1 - i);
    return rewriter.made_by(root->input(0), "add");
  }
  return nullptr;
}

Normalised normalised(const Rewriter& rewriter, const Node& node) {
  Normalised found;
  Value* d = nullptr;
  const Node* plus = variance_of(rewriter, node, d);
  const WithScalar shifted = plus ? with_scalar(plus) : WithScalar();
  const Node* mean = shifted ? mean_of(rewriter, shifted.other, found.axis) : nullptr;
  const Node* square = mean ? rewriter.made_by(mean->input(0), "square") : nullptr;
  if (!square || square->input(0) != d) return found;
  found.epsilon = shifted.scalar;
  found.x = d;
  const Node* minus = rewriter.made_by(d, "sub");
  const Node* centre = minus ? mean_of(rewriter, minus->input(1), found.axis) : nullptr;
  if (centre && centre->input(0) == minus->input(0)) {
    found.x = minus->input(0);
    found.centred = true;
  }
  return found;
}

// The operand beside `value` of `node`, a `op` that keeps the shape of `value`, where it only spans the normalised
// axes.
Value* beside(const Node* node, std::string_view op, const Value* value, int64_t axis) {
  if (!node || !node->is(op) || !same_type(node->output(), value)) return nullptr;
  Value* other = node->input(node->input(0) == value ? 1 : 0);
  const auto lead = static_cast<int64_t>(value->shape().size() - other->shape().size());
  for (int64_t i = 0; i < axis - lead; ++i) {
    if (other->shape()[static_cast<size_t>(i)] != Dim(1)) return nullptr;
  }
  return other;
}

// `value`, which broadcasts to the normalised axes of `x`, in exactly their shape.
Value* as_row(Rewriter& rewriter, Node* before, Value* value, const Value* x, int64_t axis) {
  const Shape row(x->shape().begin() + axis, x->shape().end());
  if (value->shape() == row || !rewriter.constant(value)) return value;
  ConstantBuilder builder(rewriter, before);
  if (value->shape().size() > row.size()) {
    const Shape& shape = value->shape();
    value = builder.reshape(value, Shape(shape.end() - static_cast<ptrdiff_t>(row.size()), shape.end()));
  }
  return is_static(row) ? builder.expand(value, row) : value;
}

Node* only_reader(const Rewriter& rewriter, const Value* value) {
  return rewriter.read_once(value) ? value->users()[0] : nullptr;
}

void rewrite(Rewriter& rewriter, Node* node, const Normalised& found) {
  // The scale is what the op cannot do without: there is nothing to gain where it is missing.
  Node* scaled = only_reader(rewriter, node->output());
  Value* scale = beside(scaled, "mul", node->output(), found.axis);
  if (!scale) {
    rewriter.context().refused("norm", {node->label()}, "the normalised rows are not scaled");
    return;
  }
  Node* last = scaled;
  std::vector<Value*> operands{found.x, as_row(rewriter, node, scale, found.x, found.axis)};
  if (found.centred) {
    Node* shifted = only_reader(rewriter, scaled->output());
    if (Value* bias = beside(shifted, "add", scaled->output(), found.axis)) {
      operands.push_back(as_row(rewriter, node, bias, found.x, found.axis));
      last = shifted;
    }
  }
  if (last->output()->keep()) return;
  const char* op = found.centred ? "layer_norm" : "rms_norm";
  Value* y = rewriter.before(last).op(op, operands, LayerNormAttributes{found.axis, found.epsilon});
  rewriter.context().fused("norm", {node->label(), last->label()}, op);
  rewriter.replace(last->output(), y);
}

}  // namespace

bool find_layer_norm(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  std::vector<Node*> candidates;  // a match erases nodes after its candidate, but no other candidate
  for (Node* node = graph.first(); node; node = node->next()) {
    ++context.visited;
    if ((node->is("div") || node->is("mul")) && node->output()->dtype() == DType::f32 &&
        normalised(rewriter, *node).x) {
      candidates.push_back(node);
    }
  }
  for (Node* node : candidates) {
    if (const Normalised found = normalised(rewriter, *node); found.x) rewrite(rewriter, node, found);
  }
  return rewriter.changed();
}

}  // namespace narae::passes
