// SPDX-License-Identifier: Apache-2.0
// GELU written out: x/2 (1 + erf(x / sqrt 2)), or x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), the factors in any
// order. https://arxiv.org/abs/1606.08415
#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {
namespace {

constexpr double sqrt_half = 0.7071067811865476, sqrt_2_by_pi = 0.7978845608028654, cubic = 0.044715;

// The node that alone reads `value`; null: there is none.
Node* only_reader(const Rewriter& rewriter, const Value* value) {
  return rewriter.read_once(value) ? value->users()[0] : nullptr;
}

// Takes a product apart: multiplies its constants into `factor` and counts how often `x` stands in it; false: there is
// something else in it.
bool take_apart(const Rewriter& rewriter, const Value* value, const Value* x, double& factor, int& power,
                int depth = 0) {
  const Node* node = value->producer();
  double scalar = 0;
  if (value == x) {
    ++power;
    return true;
  }
  if (value->scalar_constant(scalar)) {
    factor *= scalar;
    return true;
  }
  ++rewriter.context().visited;
  if (!node || depth > 3) return false;
  if (node->is("pow") && node->input(0) == x && node->input(1)->scalar_constant(scalar) && scalar == 3) {
    power += 3;
    return true;
  }
  if (node->is("square") && node->input(0) == x) {
    power += 2;
    return true;
  }
  return node->is("mul") && take_apart(rewriter, node->input(0), x, factor, power, depth + 1) &&
         take_apart(rewriter, node->input(1), x, factor, power, depth + 1);
}

bool is_cubic_term(const Rewriter& rewriter, const Value* value, const Value* x) {
  double factor = 1;
  int power = 0;
  return take_apart(rewriter, value, x, factor, power) && power == 3 && close_to(factor, cubic);
}

// x, where the operand of erf or tanh is what GELU wants; null otherwise.
Value* argument(const Rewriter& rewriter, const Node& node) {
  const Node* scale = node.input(0)->producer();
  if (node.is("erf")) return other_than_scalar(scale, "mul", sqrt_half);
  const Value* sum = other_than_scalar(scale, "mul", sqrt_2_by_pi);
  const Node* add = sum ? rewriter.made_by(sum, "add") : nullptr;
  if (!add) return nullptr;
  for (size_t i = 0; i < 2; ++i) {
    if (is_cubic_term(rewriter, add->input(1 - i), add->input(i))) return add->input(i);
  }
  return nullptr;
}

// The node that makes x * a / 2 of a = 1 + erf(..); null: the graph does something else.
Node* product(const Rewriter& rewriter, const Value* a, const Value* x) {
  Node* first = only_reader(rewriter, a);
  if (!first || !first->is("mul")) return nullptr;
  if (other_than_scalar(first, "mul", 0.5)) {
    Node* second = only_reader(rewriter, first->output());
    const bool by_x = second && second->is("mul") && (second->input(0) == x || second->input(1) == x);
    return by_x ? second : nullptr;
  }
  const Value* other = first->input(first->input(0) == a ? 1 : 0);
  if (other_than_scalar(other->producer(), "mul", 0.5) == x) return first;
  if (other != x) return nullptr;
  Node* second = only_reader(rewriter, first->output());
  return second && other_than_scalar(second, "mul", 0.5) ? second : nullptr;
}

}  // namespace

bool find_gelu(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  std::vector<Node*> candidates;  // a match erases nodes after its candidate, but no other candidate
  for (Node* node = graph.first(); node; node = node->next()) {
    ++context.visited;
    if ((node->is("erf") || node->is("tanh")) && node->output()->dtype() == DType::f32) candidates.push_back(node);
  }
  for (Node* node : candidates) {
    Value* x = argument(rewriter, *node);
    Node* plus = x ? only_reader(rewriter, node->output()) : nullptr;
    if (!plus || !other_than_scalar(plus, "add", 1.0)) continue;
    Node* last = product(rewriter, plus->output(), x);
    if (!last || last->output()->keep() || !same_type(last->output(), x)) continue;
    Value* y = rewriter.before(last).op(node->is("erf") ? "gelu" : "gelu_tanh", {x});
    context.fused("pointwise", {node->label(), plus->label(), last->label()}, y->producer()->op().name);
    rewriter.replace(last->output(), y);
  }
  return rewriter.changed();
}

}  // namespace narae::passes
