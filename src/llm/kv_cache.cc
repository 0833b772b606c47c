// SPDX-License-Identifier: Apache-2.0
#include "llm/kv_cache.h"

namespace narae {

KvCache::KvCache(const std::vector<StateGroup>& groups, bool prefix_cache)
    : prefix_cache_(prefix_cache), matched_(groups.size()) {
  if (groups.empty()) fail(ErrorCode::usage, "no state group: a token model has at least one");
  for (const StateGroup& group : groups) {
    if (group.page_size != groups.front().page_size) {
      fail(ErrorCode::usage, "state group \"{}\" has pages of {} tokens, \"{}\" of {}; they must be equal", group.name,
           group.page_size, groups.front().name, groups.front().page_size);
    }
    with_context([&] { return fmt::format("state group \"{}\"", group.name); },
                 [&] { groups_.emplace_back(group.pages, group.page_size); });
  }
}

int64_t KvCache::most_tokens() const {
  int64_t most = INT64_MAX;
  for (const PageGroup& group : groups_) most = std::min<int64_t>(most, int64_t{group.usable()} * page_size());
  return most;
}

int64_t KvCache::match(const TokenSequence& sequence) {
  if (!prefix_cache_) return 0;
  int64_t length = sequence.known - 1;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const std::span<const int32_t> tokens(sequence.tokens.data(), static_cast<size_t>(length));
    length = groups_[g].match(sequence.root, tokens, matched_[g]);
  }
  return length;
}

int64_t KvCache::cached_pages(const TokenSequence& sequence) { return match(sequence) / page_size(); }

void KvCache::start(TokenSequence& sequence, uint64_t step, std::vector<Move>& moves) {
  int64_t length = match(sequence);
  sequence.pages.resize(groups_.size());
  sequence.published.assign(groups_.size(), 0);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const auto full = static_cast<size_t>(length / page_size());
    for (size_t i = 0; i < full; ++i) groups_[g].share(matched_[g][i]);
    sequence.pages[g].assign(matched_[g].begin(), matched_[g].begin() + static_cast<ptrdiff_t>(full));
    sequence.published[g] = static_cast<int64_t>(full);
  }
  // A page that matches in part is copied, if there is one to copy it to.
  const auto units = static_cast<int32_t>(length % page_size());
  for (size_t g = 0; g < groups_.size() && units > 0; ++g) {
    const int32_t from = matched_[g][static_cast<size_t>(sequence.published[g])];
    const int32_t to = groups_[g].acquire();
    if (to == PageGroup::none) {
      length -= units;
      break;
    }
    sequence.pages[g].push_back(to);
    if (to == from) continue;  // it was the least recently used, and holds what it should
    groups_[g].pin(from, step);
    moves.push_back({static_cast<int32_t>(g), from, to, units});
  }
  sequence.settled = sequence.bound = length;
}

int64_t KvCache::reserve(TokenSequence& sequence, int64_t until) {
  int64_t reach = until;
  for (size_t g = 0; g < groups_.size(); ++g) {
    std::vector<int32_t>& pages = sequence.pages[g];
    const auto needed = static_cast<size_t>(pages_for(until));
    while (pages.size() < needed) {
      const int32_t page = groups_[g].acquire();
      if (page == PageGroup::none) break;
      pages.push_back(page);
    }
    reach = std::min<int64_t>(reach, static_cast<int64_t>(pages.size()) * page_size());
  }
  return reach;
}

void KvCache::publish(TokenSequence& sequence) {
  if (!prefix_cache_) return;
  for (size_t g = 0; g < groups_.size(); ++g) {
    const int32_t size = page_size();
    std::vector<int32_t>& pages = sequence.pages[g];
    int64_t& done = sequence.published[g];
    for (; (done + 1) * size <= sequence.settled; ++done) {
      const auto index = static_cast<size_t>(done);
      const int32_t parent = done ? pages[index - 1] : PageGroup::none;
      const std::span<const int32_t> tokens(sequence.tokens.data() + done * size, static_cast<size_t>(size));
      pages[index] = groups_[g].publish(sequence.root, parent, pages[index], tokens, sequence.last_step);
    }
  }
}

void KvCache::release(TokenSequence& sequence) {
  for (size_t g = 0; g < sequence.pages.size(); ++g) {
    std::vector<int32_t>& pages = sequence.pages[g];
    for (; !pages.empty(); pages.pop_back()) groups_[g].release(pages.back(), sequence.last_step);  // leaves first
  }
  sequence.settled = sequence.bound = 0;
}

void KvCache::completed(uint64_t step) {
  for (PageGroup& group : groups_) group.completed(step);
}

}  // namespace narae
