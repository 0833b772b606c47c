// SPDX-License-Identifier: Apache-2.0
// Makes one `fused` node of several nodes: clones them into a body, finds its operands, and takes their place.
// Constants of one element live inside the body; all else that the members do not make is an operand.
#pragma once

#include <set>

#include "ops/fused.h"
#include "passes/rewrite.h"

namespace narae {

class FusedBody {
 public:
  explicit FusedBody(Graph& outer);
  // Members in topological order. The members of a `fused` node join one by one,
  void add(const Node* member);
  // or as the body they are: where this one is split, that one is still whole.
  void add_whole(const Node* member);
  // A result of the body: what `value` (made by a member) was outside.
  void add_output(Value* value);
  // Puts the fused node before `place`, lets the readers of the outputs read it, and erases the members, none of which
  // may have other readers.
  Node* finish(Rewriter& rewriter, const char* kind, Node* place);

 private:
  Value* inside(const Value* outer);
  void declare(const std::vector<Dim>& dims);
  void clone(const Node* node, std::unordered_map<const Value*, Value*>& names, bool members);
  std::unique_ptr<Graph> body_;
  std::unordered_map<const Value*, Value*> inside_;  // outer value -> value of the body
  std::vector<Value*> operands_, outputs_;           // outer values
  std::vector<Node*> members_;
  std::set<std::string> origins_;
};

// The only contraction of a node that is one or has it in its body; null: there is none, or several.
const Node* inner_anchor(const Node& node);

// Every value is f32, or a boolean mask between, or an integer that a cast makes one of these; there is one result and
// the op has a scalar form.
bool scalar_f32(const Node& node);

}  // namespace narae
