// SPDX-License-Identifier: Apache-2.0
// The longest of many strings that a text begins with.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace narae {

class TokenTrie {
 public:
  TokenTrie();
  // Of equal strings the first stays. Empty ones are no matches.
  void add(std::string_view text, int32_t id);

  struct Match {
    int32_t id = -1;  // -1: none
    size_t size = 0;
  };
  // accept(id) says which strings count.
  template <typename Accept>
  Match longest(std::string_view text, size_t at, const Accept& accept) const {
    Match best;
    uint32_t node = 0;
    for (size_t i = at; i < text.size(); ++i) {
      const Edge* edge = find(node, static_cast<uint8_t>(text[i]));
      if (!edge) break;
      node = edge->to;
      if (ids_[node] >= 0 && accept(ids_[node])) best = {ids_[node], i + 1 - at};
    }
    return best;
  }

 private:
  struct Edge {
    uint64_t key = empty;  // node * 256 + byte
    uint32_t to = 0;
  };
  static constexpr uint64_t empty = ~uint64_t{0};
  static size_t place(uint64_t key, size_t mask) { return ((key * 0x9e3779b97f4a7c15ULL) >> 24) & mask; }
  const Edge* find(uint32_t node, uint8_t byte) const {
    const uint64_t key = uint64_t{node} << 8 | byte;
    const size_t mask = edges_.size() - 1;
    for (size_t at = place(key, mask); edges_[at].key != empty; at = (at + 1) & mask) {
      if (edges_[at].key == key) return &edges_[at];
    }
    return nullptr;
  }
  void grow();
  void insert(uint64_t key, uint32_t to);

  std::vector<Edge> edges_;
  std::vector<int32_t> ids_;  // of the string that ends at a node
  uint32_t nodes_ = 1;
};

}  // namespace narae
