// SPDX-License-Identifier: Apache-2.0
#include "passes/region.h"

#include "passes/fused_body.h"

namespace narae {
namespace {

constexpr size_t node_limit = 64, operand_limit = 32;

class Region {
 public:
  Region(const Rewriter& rewriter, Node* root) : rewriter_(rewriter), root_(root) {
    take(root);
    while (!ready_.empty() && nodes_.size() < node_limit) {
      Node* node = std::prev(ready_.end())->second;  // the latest: all its readers are inside
      ready_.erase(std::prev(ready_.end()));
      take(node);
    }
  }
  std::map<int64_t, Node*> take_nodes() { return std::move(nodes_); }

 private:
  void take(Node* node) {
    nodes_[node->order()] = node;
    for (const Value* value : node->inputs()) {
      ++rewriter_.context().visited;
      Node* producer = value->producer();
      if (!producer || rewriter_.is_result(value) || ++reads_[value] < value->users().size()) continue;
      if (!scalar_f32(*producer) || rewriter_.constant(producer)) continue;
      if (value->shape() != root_->output()->shape() || reads_.size() > operand_limit) continue;
      ready_[producer->order()] = producer;
    }
  }

  const Rewriter& rewriter_;
  Node* root_;
  std::map<int64_t, Node*> nodes_, ready_;
  std::unordered_map<const Value*, size_t> reads_;
};

}  // namespace

std::map<int64_t, Node*> grow_region(const Rewriter& rewriter, Node* root) {
  if (!scalar_f32(*root) || rewriter.constant(root)) return {};
  return Region(rewriter, root).take_nodes();
}

}  // namespace narae
