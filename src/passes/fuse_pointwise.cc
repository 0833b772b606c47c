// SPDX-License-Identifier: Apache-2.0
// Regions of pointwise nodes become one body. A region has one result and every other value of it is read inside only,
// so it is convex by itself; its values have one shape, and what is smaller broadcasts in as an operand.
#include <algorithm>
#include <map>

#include "passes/fused_body.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

constexpr size_t node_limit = 64, operand_limit = 32;

class Region {
 public:
  Region(const Rewriter& rewriter, const ConstantPart& constant_part, Node* root)
      : rewriter_(rewriter), constant_part_(constant_part), root_(root) {
    take(root);
    while (!ready_.empty() && nodes_.size() < node_limit) {
      Node* node = std::prev(ready_.end())->second;  // the latest: all its readers are inside
      ready_.erase(std::prev(ready_.end()));
      take(node);
    }
  }
  const std::map<int64_t, Node*>& nodes() const { return nodes_; }

 private:
  void take(Node* node) {
    nodes_[node->order()] = node;
    for (const Value* value : node->inputs()) {
      ++rewriter_.context().visited;
      Node* producer = value->producer();
      if (!producer || rewriter_.is_result(value) || ++reads_[value] < value->users().size()) continue;
      if (!scalar_f32(*producer) || constant_part_.has(producer)) continue;
      if (value->shape() != root_->output()->shape() || reads_.size() > operand_limit) continue;
      ready_[producer->order()] = producer;
    }
  }

  const Rewriter& rewriter_;
  const ConstantPart& constant_part_;
  Node* root_;
  std::map<int64_t, Node*> nodes_, ready_;
  std::unordered_map<const Value*, size_t> reads_;
};

}  // namespace

bool fuse_pointwise(Graph& graph, const Target&, PassContext& context) {
  Rewriter rewriter(graph, context);
  const ConstantPart constant_part(graph);
  const auto first_record = static_cast<ptrdiff_t>(context.fusions.size());
  for (Node *node = graph.last(), *previous = nullptr; node; node = previous) {
    previous = node->previous();
    ++context.visited;
    if (!scalar_f32(*node) || constant_part.has(node)) continue;
    const Region region(rewriter, constant_part, node);
    if (region.nodes().size() < 2) continue;
    std::vector<std::string> names;
    FusedBody body(graph);
    for (const auto& [order, member] : region.nodes()) {
      body.add(member);
      names.push_back(member->label());
    }
    body.add_output(node->output());
    Node* fused = body.finish(rewriter, "pointwise", node);
    context.fused("pointwise", std::move(names), fused->label());
    previous = fused->previous();
  }
  std::reverse(context.fusions.begin() + first_record, context.fusions.end());  // told in the order of the graph
  return rewriter.changed();
}

}  // namespace narae::passes
