// SPDX-License-Identifier: Apache-2.0
#include "passes/attention.h"

#include <algorithm>
#include <optional>

#include "ops/matmul.h"
#include "ops/softmax.h"
#include "passes/fused_body.h"

namespace narae::passes {
namespace {

struct Attention {
  Node *scores = nullptr, *softmax = nullptr, *mix = nullptr;  // (the body of) a product, softmax, a product
};

bool computed(const Rewriter& rewriter, const Value* value) {
  return value && is_float(value->dtype()) && !rewriter.constant(value);
}

// A product of computed operands or a body of one.
const Node* product(const Rewriter& rewriter, const Node& node) {
  const Node* anchor = node.outputs().size() == 1 ? inner_anchor(node) : nullptr;
  if (!anchor || !anchor->is("matmul")) return nullptr;
  for (Value* value : anchor->inputs()) {
    if (!computed(rewriter, outside_casts(node, value))) return nullptr;
  }
  return anchor;
}

std::string reader_reason(const Rewriter& rewriter, const char* what, const Value* value) {
  if (value->keep()) return fmt::format("the {} are kept", what);
  if (rewriter.is_output(value)) return fmt::format("the {} are an output", what);
  return fmt::format("the {} have {} readers", what, value->users().size());
}

// Fills `found` from the product behind a softmax; else why it is none.
std::string match(const Rewriter& rewriter, Attention& found) {
  const Value *weights = found.softmax->output(0), *scores = found.softmax->input(0);
  if (!rewriter.read_once(weights)) return reader_reason(rewriter, "weights", weights);
  if (within_casts(found.softmax, "softmax")->attributes<SoftmaxAttributes>().axis != weights->rank() - 1)
    return "softmax goes over an axis that is not the last";
  if (!rewriter.read_once(scores)) return reader_reason(rewriter, "scores", scores);
  found.scores = scores->producer();
  if (!found.scores || !product(rewriter, *found.scores)) return "the scores are not made by a product of two results";
  return {};
}

// The transposes and, of what the scores are made of, constant factors behind an operand that only it needs.
void take_operand(const Rewriter& rewriter, const Value* value, bool factors, std::vector<Node*>& members) {
  while (value && value->producer() && rewriter.read_once(value)) {
    Node* node = value->producer();
    if (!node->is("transpose") && (!factors || !node->is("mul") || !with_scalar(node))) return;
    members.push_back(node);
    value = node->is("mul") ? with_scalar(node).other : node->input(0);
  }
}

std::vector<Node*> members_of(const Rewriter& rewriter, const Attention& found) {
  std::vector<Node*> members{found.scores, found.softmax, found.mix};
  for (Value* value : inner_anchor(*found.scores)->inputs())
    take_operand(rewriter, outside_casts(*found.scores, value), true, members);
  take_operand(rewriter, outside_casts(*found.mix, within_casts(found.mix, "matmul")->input(1)), false, members);
  if (rewriter.read_once(found.mix->output()) && found.mix->output()->users()[0]->is("transpose"))
    members.push_back(found.mix->output()->users()[0]);
  std::sort(members.begin(), members.end(), [](const Node* a, const Node* b) { return a->order() < b->order(); });
  return members;
}

// softmax(..) v with v computed; the scores are not looked at.
std::optional<Attention> mixed(const Rewriter& rewriter, Node* node) {
  const Node* mix = within_casts(node, "matmul");
  if (!mix || rewriter.constant(node) || mix->attributes<MatmulAttributes>().transpose_a) return std::nullopt;
  const Value *weights = outside_casts(*node, mix->input(0)), *values = outside_casts(*node, mix->input(1));
  if (!weights || !within_casts(weights->producer(), "softmax") || !computed(rewriter, values)) return std::nullopt;
  return Attention{nullptr, weights->producer(), node};
}

}  // namespace

bool fuse_attentions(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  for (Node *node = graph.first(), *next = nullptr; node; node = next) {
    next = node->next();
    ++context.visited;
    std::optional<Attention> found = mixed(rewriter, node);
    if (!found) continue;
    const std::string reason = match(rewriter, *found);
    if (!reason.empty()) {
      context.refused("attention", {found->softmax->label(), node->label()}, reason);
      continue;
    }
    std::vector<std::string> names;
    FusedBody body(graph);
    const std::vector<Node*> members = members_of(rewriter, *found);
    Node* last = members.back();
    for (const Node* member : members) {
      body.add_whole(member);
      names.push_back(member->label());
    }
    body.add_output(last->output());
    const Node* fused = body.finish(rewriter, "attention", last);
    if (next == last) next = fused->next();
    context.fused("attention", std::move(names), fused->label());
  }
  return rewriter.changed();
}

}  // namespace narae::passes
