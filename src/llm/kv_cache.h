// SPDX-License-Identifier: Apache-2.0
// Pages of all state groups for sequences: one page table a group. A prefix can be used again up to the longest length
// that every group still has.
#pragma once

#include <string>

#include "llm/token_sequence.h"

namespace narae {

struct StateGroup {
  std::string name = "kv";
  int32_t page_size = 16;
  int32_t pages = 0;  // with page 0, which belongs to padding
};

class KvCache {
 public:
  KvCache(const std::vector<StateGroup>& groups, bool prefix_cache);

  // Tables of a sequence without any: shares the cached pages of its prefix and sets settled = bound = what they hold.
  // At least one token is left to compute. `moves` gets copies of partly matched pages, for this step.
  void start(TokenSequence& sequence, uint64_t step, std::vector<Move>& moves);
  // How much start() would find, in whole pages.
  int64_t cached_pages(const TokenSequence& sequence);
  // Pages up to position `until`; returns the position that there are pages for, at most `until`.
  int64_t reserve(TokenSequence& sequence, int64_t until);
  // Full pages below `settled` go to the index.
  void publish(TokenSequence& sequence);
  // Gives all pages back once the steps that name the sequence are complete.
  void release(TokenSequence& sequence);
  void completed(uint64_t step);

  size_t groups() const { return groups_.size(); }
  PageGroup& group(size_t index) { return groups_[index]; }
  const PageGroup& group(size_t index) const { return groups_[index]; }
  int32_t page_size() const { return groups_.front().page_size(); }  // of all groups
  int64_t pages_for(int64_t tokens) const { return (tokens + page_size() - 1) / page_size(); }
  // The longest sequence that fits when it is alone.
  int64_t most_tokens() const;

 private:
  int64_t match(const TokenSequence& sequence);
  std::vector<PageGroup> groups_;
  bool prefix_cache_;
  std::vector<std::vector<int32_t>> matched_;  // by group; of the last match()
};

}  // namespace narae
