// SPDX-License-Identifier: Apache-2.0
#include "passes/epilogue.h"

#include <map>

#include "passes/fused_body.h"

namespace narae {
namespace {

// Values with more readers are not looked into: it would cost more than linear time, and pay little.
constexpr size_t reader_limit = 8;

class Growth {
 public:
  Growth(const Rewriter& rewriter, Node* anchor) : rewriter_(rewriter), shape_(anchor->output()->shape()) {
    made(anchor->output());
  }

  Epilogue run(size_t limit) {
    size_t best = 0;
    while (!frontier_.empty() && nodes_.size() < limit) {
      Node* node = frontier_.begin()->second;
      frontier_.erase(frontier_.begin());
      ++rewriter_.context().visited;
      if (!fits(*node)) continue;
      nodes_.push_back(node);
      for (const Value* value : node->inputs()) {
        const auto it = unread_.find(value);
        if (it != unread_.end() && --it->second == 0) unread_.erase(it);
      }
      made(node->output());
      if (unread_.size() == 1 && unread_.count(node->output()) && node->output()->dtype() == DType::f32)
        best = nodes_.size();
    }
    Epilogue epilogue;
    epilogue.nodes.assign(nodes_.begin(), nodes_.begin() + static_cast<ptrdiff_t>(best));
    return epilogue;
  }

  bool fits(const Node& node) const {
    return scalar_f32(node) && node.output()->shape() == shape_ && !rewriter_.constant(&node);
  }

 private:
  void made(Value* value) {
    unread_[value] = value->users().size() + (rewriter_.is_result(value) ? 1 : 0);
    if (value->users().size() > reader_limit) return;
    for (Node* user : value->users()) frontier_[user->order()] = user;
  }

  const Rewriter& rewriter_;
  const Shape& shape_;
  std::vector<Node*> nodes_;
  // Readers outside of the region, of each of its values that has any. A path that leaves the region and comes back
  // leaves from a value that stays here, so no prefix of nodes_ with one value here contains one.
  std::unordered_map<const Value*, size_t> unread_;
  std::map<int64_t, Node*> frontier_;  // by order: operands come before their readers
};

std::string refusal(const Rewriter& rewriter, const Growth& growth, const Node& last) {
  const Value* value = last.output();
  const Node* next = nullptr;
  for (const Node* user : value->users()) {
    ++rewriter.context().visited;
    if (user->op().has(op_pointwise) && (!next || user->order() < next->order())) next = user;
  }
  if (!next) return {};
  const std::string what = fmt::format("{} \"{}\" is not inlined: ", next->op().name, next->label());
  if (value->keep()) return what + "its operand is kept";
  if (rewriter.is_output(value)) return what + "its operand is an output";
  if (!growth.fits(*next)) return what + "it is not of this shape in f32";
  if (value->users().size() > 1) return what + fmt::format("its operand has {} readers", value->users().size());
  return what + "the body is large enough";
}

}  // namespace

Epilogue grow_epilogue(const Rewriter& rewriter, Node* anchor, size_t limit) {
  Growth growth(rewriter, anchor);
  Epilogue epilogue = growth.run(limit);
  epilogue.refused = refusal(rewriter, growth, epilogue.nodes.empty() ? *anchor : *epilogue.nodes.back());
  return epilogue;
}

}  // namespace narae
