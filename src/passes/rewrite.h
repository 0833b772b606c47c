// SPDX-License-Identifier: Apache-2.0
// What passes share to look around in a graph and to change it. Every question here costs constant time; what erases a
// node erases only nodes before it that nothing else needs, so a walk forward may keep its next().
#pragma once

#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "graph/builder.h"
#include "passes/pass.h"

namespace narae {

class Rewriter {
 public:
  Rewriter(Graph& graph, PassContext& context);
  Graph& graph() { return graph_; }
  PassContext& context() const { return context_; }
  bool changed() const { return changed_; }
  void set_changed() { changed_ = true; }
  // Calls visit(Node*) for every node, in order; nodes that it adds before the next one are passed over. Returns
  // changed().
  template <typename Visit>
  bool each(Visit visit) {
    for (Node *node = graph_.first(), *next = nullptr; node; node = next) {
      next = node->next();
      ++context_.visited;
      visit(node);
    }
    return changed_;
  }

  // An output of the graph or marked `keep`: must be made as it is.
  bool is_result(const Value* value) const { return value->keep() || outputs_.count(value) > 0; }
  bool is_output(const Value* value) const { return outputs_.count(value) > 0; }
  // Exactly one operand slot reads it and it is no result: its producer may disappear into that reader.
  bool read_once(const Value* value) const { return value->users().size() == 1 && !is_result(value); }
  // The producer of `value` when it is `op`; null otherwise.
  Node* made_by(const Value* value, std::string_view op) const;
  // The same when nothing else reads `value`.
  Node* made_only_for(const Value* value, std::string_view op) const;

  // The constant part: nodes all of whose operands are constants or results of such nodes. They are evaluated once, at
  // load; what a pass fuses into run-time nodes must not swallow them.
  bool constant(const Value* value) const {
    return value->is_constant() || (value->producer() && constant(value->producer()));
  }
  bool constant(const Node* node) const { return constant_part_.count(node) > 0; }
  // A new node joins the constant part where it belongs there.
  void classify(const Node* node);

  // A Builder that puts nodes before `node` and gives them its origins.
  Builder before(Node* node) const;
  // All readers of `old_value` read `fresh` (of the same type), and what only `old_value` needed is erased. False, with
  // nothing done, when old_value is kept. What makes `fresh` takes over the names of what was erased.
  bool replace(Value* old_value, Value* fresh);
  // The same for all results of a node at once; `node` is gone unless false.
  bool replace(Node* node, const std::vector<Value*>& fresh);
  // The first half of replace(): the readers change, nothing is erased.
  void redirect(Value* old_value, Value* fresh);
  // Erases `node` if nothing needs it, then whatever that leaves unneeded; adds their origins to `origins`, if given.
  void erase_unused(Node* node, std::set<std::string>* origins = nullptr);

 private:
  Graph& graph_;
  PassContext& context_;
  std::unordered_map<const Value*, int> outputs_;
  std::unordered_set<const Node*> constant_part_;
  bool changed_ = false;
};

// A node op(x, c) or, where the op commutes, op(c, x), with c a constant of one element and a result like x.
struct WithScalar {
  Value* other = nullptr;  // null: no match
  double scalar = 0;
  bool constant_first = false;
  explicit operator bool() const { return other != nullptr; }
};
WithScalar with_scalar(const Node* node);
// A node of this op, with a constant of one element close to `scalar` (relative 1e-5); null: no match.
Value* other_than_scalar(const Node* node, std::string_view op, double scalar);
bool close_to(double a, double b);
bool same_type(const Value* a, const Value* b);

// No symbol and no chance decides its results.
bool depends_on_operands_only(const Node& node);

}  // namespace narae
