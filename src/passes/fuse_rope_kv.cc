// SPDX-License-Identifier: Apache-2.0
// The rotations of an attention's queries and keys and the writes of its keys and values become one body, so that a
// kernel forms the angles once and turns a key straight into its place. Where none does, the body is split.
#include <algorithm>

#include "ops/rope.h"
#include "passes/fused_body.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

struct RopeKv {
  Node *query = nullptr, *key = nullptr, *key_write = nullptr, *value_write = nullptr;
};

bool same_turns(const Node& a, const Node& b) {
  return a.input(1) == b.input(1) && a.input(2) == b.input(2) && a.attribute_box()->text() == b.attribute_box()->text();
}

// Fills `found` from an attention over states; else why it is none.
std::string match(const Rewriter& rewriter, const Node& attention, RopeKv& found) {
  found.query = rewriter.made_only_for(attention.input(0), "rope");
  if (!found.query) return "the queries are not turned for it alone";
  found.key_write = rewriter.made_only_for(attention.input(1), "kv_write");
  found.value_write = rewriter.made_only_for(attention.input(2), "kv_write");
  if (!found.key_write || !found.value_write) return "keys and values are not written for it alone";
  found.key = rewriter.made_only_for(found.key_write->input(1), "rope");
  if (!found.key) return "the keys are not turned for their write alone";
  if (!same_turns(*found.query, *found.key)) return "queries and keys turn by other angles";
  if (found.key_write->input(2) != found.value_write->input(2)) return "keys and values go to other places";
  const DType type = found.value_write->input(1)->dtype();
  if (type != found.key->output()->dtype() || type != found.query->output()->dtype()) return "the types differ";
  return {};
}

}  // namespace

bool fuse_rope_kv(Graph& graph, const Target&, PassContext& context) {
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    if (!node->is("paged_attention")) return;
    RopeKv found;
    const std::string reason = match(rewriter, *node, found);
    if (!reason.empty()) return context.refused("rope_kv", {node->label()}, reason);
    std::vector<Node*> members{found.query, found.key, found.key_write, found.value_write};
    std::sort(members.begin(), members.end(), [](const Node* a, const Node* b) { return a->order() < b->order(); });
    Value* const results[] = {found.query->output(), found.key_write->output(), found.value_write->output()};
    Node* last = members.back();
    std::vector<std::string> names;
    FusedBody body(graph);
    for (const Node* member : members) {
      body.add(member);
      names.push_back(member->label());
    }
    for (Value* result : results) body.add_output(result);
    const Node* fused = body.finish(rewriter, "rope_kv", last);
    context.fused("rope_kv", std::move(names), fused->label());
  });
}

}  // namespace narae::passes
