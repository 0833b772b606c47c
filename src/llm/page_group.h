// SPDX-License-Identifier: Apache-2.0
// The pages of one state group: who has them, and the prefix index, a tree of full pages whose tokens are compared. The
// one thing not to get wrong: a page is handed out again only when no table, no index and no step in flight names it.
//
// A page is free, tabled (in the table of a sequence), idle (only in the index: reclaimed from the least recently used
// on), in limbo (a step in flight may still touch it) or retired (beyond the limit of a shrunk pool). Whoever tables a
// page of the index tables all its ancestors, so in the list of idle pages children come before their parents.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <vector>

namespace narae {

// What cached state depends on beside its tokens.
struct PrefixRoot {
  uint64_t weights = 0;
  int32_t adapter = 0;
  uint64_t salt = 0;
  bool operator<(const PrefixRoot& other) const {
    return std::tie(weights, adapter, salt) < std::tie(other.weights, other.adapter, other.salt);
  }
};

class PageGroup {
 public:
  static constexpr int32_t none = -1;
  // Pages 1 .. pages - 1 can be had; 0 belongs to padding.
  PageGroup(int32_t pages, int32_t page_size);

  int32_t page_size() const { return page_size_; }
  int32_t limit() const { return limit_; }
  int32_t usable() const { return limit_ - 1; }

  // A page for a table, from the free ones or else the idle ones; none: all are in use or on their way back.
  int32_t acquire();
  // One more table names a page that another one or the index names.
  void share(int32_t page);
  // A table drops it; `last_step` is the last step that may touch it on that table's behalf.
  void release(int32_t page, uint64_t last_step);
  void pin(int32_t page, uint64_t step) { touch(page, step); }  // read by that step, such as the source of a copy
  // Steps complete in order: what the steps up to this one used comes back.
  void completed(uint64_t step);

  // The pages of the index that hold the longest prefix of `tokens`; the last one may match in part. Returns its
  // length.
  int64_t match(const PrefixRoot& root, std::span<const int32_t> tokens, std::vector<int32_t>& pages) const;
  // Puts a settled full page below `parent` (none: the root). Returns the page that stands for these tokens: `page`, or
  // another with the same tokens that was there before, which the table must name instead (references are moved).
  int32_t publish(const PrefixRoot& root, int32_t parent, int32_t page, std::span<const int32_t> tokens,
                  uint64_t last_step);

  // Pages from `limit` on are given up as they come back; at most the constructor's number.
  void resize(int32_t limit);
  void forget_idle();  // empties the index of what no sequence uses

  int32_t free() const { return static_cast<int32_t>(free_.size()); }
  int32_t idle() const { return idle_count_; }
  int32_t coming() const { return static_cast<int32_t>(limbo_.size()); }
  int32_t references(int32_t page) const { return pages_[static_cast<size_t>(page)].references; }
  // CHECKs that every page is in exactly one state and the tree is whole. For tests; walks everything.
  void audit(const std::vector<int32_t>& references) const;

 private:
  struct Page {
    int32_t references = 0;  // tables
    uint64_t last_step = 0;
    bool indexed = false;
    int32_t parent = none;                // a page, or a root
    int32_t before = none, after = none;  // among the idle
    std::vector<int32_t> children;        // by tokens
  };
  Page& page(int32_t id) { return pages_[static_cast<size_t>(id)]; }
  const Page& page(int32_t id) const { return pages_[static_cast<size_t>(id)]; }
  std::span<const int32_t> tokens_of(int32_t id) const {
    return {tokens_.data() + static_cast<size_t>(id) * static_cast<size_t>(page_size_),
            static_cast<size_t>(page_size_)};
  }
  void touch(int32_t id, uint64_t step) { page(id).last_step = std::max(page(id).last_step, step); }
  size_t child_place(const Page& parent, std::span<const int32_t> tokens) const;
  int32_t root_of(const PrefixRoot& root);
  void put_back(int32_t id);
  void push_idle(int32_t id);
  void drop_idle(int32_t id);
  void evict_oldest();

  int32_t page_size_, limit_, capacity_;
  uint64_t completed_ = 0;
  std::vector<Page> pages_;  // then the roots of the index
  std::vector<int32_t> tokens_;
  std::vector<int32_t> free_, limbo_, free_roots_;
  std::map<PrefixRoot, int32_t> roots_;
  std::vector<std::map<PrefixRoot, int32_t>::iterator> root_places_;
  int32_t oldest_idle_ = none, newest_idle_ = none, idle_count_ = 0;
};

}  // namespace narae
