// SPDX-License-Identifier: Apache-2.0
// A trie whose edges lie in one open-addressed table.
#include "text/token_trie.h"

#include "base/error.h"

namespace narae {

TokenTrie::TokenTrie() : edges_(64), ids_(1, -1) {}

void TokenTrie::insert(uint64_t key, uint32_t to) {
  const size_t mask = edges_.size() - 1;
  size_t at = place(key, mask);
  while (edges_[at].key != empty) at = (at + 1) & mask;
  edges_[at] = {key, to};
}

void TokenTrie::grow() {
  std::vector<Edge> old(edges_.size() * 2);
  old.swap(edges_);
  for (const Edge& edge : old) {
    if (edge.key != empty) insert(edge.key, edge.to);
  }
}

void TokenTrie::add(std::string_view text, int32_t id) {
  if (text.empty()) return;
  uint32_t node = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (const Edge* edge = find(node, byte)) {
      node = edge->to;
      continue;
    }
    if (nodes_ == UINT32_MAX) fail(ErrorCode::bad_file, "the tokens have too many bytes");
    if (nodes_ * size_t{2} > edges_.size()) grow();
    insert(uint64_t{node} << 8 | byte, nodes_);
    node = nodes_++;
    ids_.push_back(-1);
  }
  if (ids_[node] < 0) ids_[node] = id;
}

}  // namespace narae
