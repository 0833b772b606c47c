// SPDX-License-Identifier: Apache-2.0
#include "llm/page_group.h"

#include <algorithm>

#include "base/error.h"

namespace narae {

namespace {

int64_t common_prefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  const size_t most = std::min(a.size(), b.size());
  return std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(most), b.begin()).first - a.begin();
}

}  // namespace

PageGroup::PageGroup(int32_t pages, int32_t page_size) : page_size_(page_size), limit_(pages), capacity_(pages) {
  if (page_size < 1) fail(ErrorCode::usage, "page size {}: a page holds at least one token", page_size);
  if (pages < 2) fail(ErrorCode::usage, "{} pages: at least 2 are needed, the first one is padding", pages);
  pages_.resize(static_cast<size_t>(pages));
  tokens_.resize(static_cast<size_t>(pages) * static_cast<size_t>(page_size));
  for (int32_t id = pages - 1; id > 0; --id) free_.push_back(id);
}

int32_t PageGroup::acquire() {
  while (free_.empty() && oldest_idle_ != none && page(oldest_idle_).last_step <= completed_) evict_oldest();
  if (free_.empty()) return none;
  const int32_t id = free_.back();
  free_.pop_back();
  page(id).references = 1;
  return id;
}

void PageGroup::share(int32_t id) {
  Page& shared = page(id);
  if (shared.references++ == 0) {
    NARAE_CHECK(shared.indexed);
    drop_idle(id);
  }
}

void PageGroup::release(int32_t id, uint64_t last_step) {
  touch(id, last_step);
  NARAE_CHECK(page(id).references > 0);
  if (--page(id).references > 0) return;
  if (page(id).indexed) {
    push_idle(id);
  } else {
    put_back(id);
  }
}

void PageGroup::put_back(int32_t id) {
  if (page(id).last_step > completed_) {
    limbo_.push_back(id);
  } else if (id < limit_) {
    free_.push_back(id);
  }
}

void PageGroup::completed(uint64_t step) {
  completed_ = step;
  size_t kept = 0;
  for (size_t i = 0; i < limbo_.size(); ++i) {
    const int32_t id = limbo_[i];
    if (page(id).last_step > step) {
      limbo_[kept++] = id;
    } else if (id < limit_) {
      free_.push_back(id);
    }
  }
  limbo_.resize(kept);
}

void PageGroup::push_idle(int32_t id) {
  page(id).before = newest_idle_;
  page(id).after = none;
  (newest_idle_ == none ? oldest_idle_ : page(newest_idle_).after) = id;
  newest_idle_ = id;
  ++idle_count_;
}

void PageGroup::drop_idle(int32_t id) {
  Page& gone = page(id);
  (gone.before == none ? oldest_idle_ : page(gone.before).after) = gone.after;
  (gone.after == none ? newest_idle_ : page(gone.after).before) = gone.before;
  gone.before = gone.after = none;
  --idle_count_;
}

void PageGroup::evict_oldest() {
  const int32_t id = oldest_idle_;
  NARAE_CHECK(page(id).children.empty());
  drop_idle(id);
  const int32_t parent = page(id).parent;
  std::vector<int32_t>& siblings = page(parent).children;
  siblings.erase(siblings.begin() + static_cast<ptrdiff_t>(child_place(page(parent), tokens_of(id))));
  page(id).indexed = false;
  page(id).parent = none;
  put_back(id);
  if (parent < capacity_ || !page(parent).children.empty()) return;
  roots_.erase(root_places_[static_cast<size_t>(parent - capacity_)]);
  free_roots_.push_back(parent);
}

// Where the child with these tokens is, or would be.
size_t PageGroup::child_place(const Page& parent, std::span<const int32_t> tokens) const {
  const auto less = [&](int32_t child, std::span<const int32_t> wanted) {
    const std::span<const int32_t> own = tokens_of(child);
    return std::lexicographical_compare(own.begin(), own.end(), wanted.begin(), wanted.end());
  };
  return static_cast<size_t>(std::lower_bound(parent.children.begin(), parent.children.end(), tokens, less) -
                             parent.children.begin());
}

int64_t PageGroup::match(const PrefixRoot& root, std::span<const int32_t> tokens, std::vector<int32_t>& pages) const {
  pages.clear();
  const auto found = roots_.find(root);
  if (found == roots_.end()) return 0;
  int32_t node = found->second;
  int64_t length = 0;
  while (length < static_cast<int64_t>(tokens.size())) {
    const auto rest = tokens.subspan(static_cast<size_t>(length));
    const auto wanted = rest.first(std::min(rest.size(), static_cast<size_t>(page_size_)));
    const Page& parent = page(node);
    // In the order of tokens the longest common prefix is at a neighbour of the place.
    const size_t place = child_place(parent, wanted);
    int32_t best = none;
    int64_t units = 0;
    for (size_t i = place > 0 ? place - 1 : 0; i <= place && i < parent.children.size(); ++i) {
      const int64_t common = common_prefix(wanted, tokens_of(parent.children[i]));
      if (common > units) best = parent.children[i], units = common;
    }
    if (best == none) break;
    pages.push_back(best);
    length += units;
    if (units < page_size_) break;
    node = best;
  }
  return length;
}

int32_t PageGroup::root_of(const PrefixRoot& root) {
  const auto [found, fresh] = roots_.try_emplace(root, none);
  if (!fresh) return found->second;
  if (free_roots_.empty()) {
    free_roots_.push_back(static_cast<int32_t>(pages_.size()));
    pages_.emplace_back();
    root_places_.emplace_back();
  }
  found->second = free_roots_.back();
  root_places_[static_cast<size_t>(found->second - capacity_)] = found;
  free_roots_.pop_back();
  return found->second;
}

int32_t PageGroup::publish(const PrefixRoot& root, int32_t parent, int32_t id, std::span<const int32_t> tokens,
                           uint64_t last_step) {
  const int32_t above = parent == none ? root_of(root) : parent;
  NARAE_CHECK(parent == none || page(parent).indexed);
  std::vector<int32_t>& children = page(above).children;
  const size_t place = child_place(page(above), tokens);
  if (place < children.size() && common_prefix(tokens, tokens_of(children[place])) == page_size_) {
    const int32_t same = children[place];
    share(same);
    release(id, last_step);
    return same;
  }
  std::copy(tokens.begin(), tokens.end(), tokens_.begin() + static_cast<ptrdiff_t>(id) * page_size_);
  children.insert(children.begin() + static_cast<ptrdiff_t>(place), id);
  page(id).indexed = true;
  page(id).parent = above;
  return id;
}

void PageGroup::forget_idle() {
  while (oldest_idle_ != none) evict_oldest();
}

void PageGroup::resize(int32_t limit) {
  limit = std::clamp(limit, 2, capacity_);
  std::vector<bool> present(static_cast<size_t>(capacity_), false);
  const auto mark = [&](const std::vector<int32_t>& ids) {
    for (const int32_t id : ids) present[static_cast<size_t>(id)] = true;
  };
  mark(free_);
  mark(limbo_);
  for (int32_t id = limit_; id < limit; ++id) {  // retired ones come back; others are still in use
    if (!present[static_cast<size_t>(id)] && page(id).references == 0 && !page(id).indexed) free_.push_back(id);
  }
  limit_ = limit;
  std::erase_if(free_, [&](int32_t id) { return id >= limit; });
  const auto beyond = [&] {
    for (int32_t id = oldest_idle_; id != none; id = page(id).after) {
      if (id >= limit) return true;
    }
    return false;
  };
  while (beyond()) evict_oldest();
}

void PageGroup::audit(const std::vector<int32_t>& references) const {
  std::vector<int> seen(pages_.size(), 0);
  for (const int32_t id : free_) {
    NARAE_CHECK(id > 0 && id < limit_ && page(id).last_step <= completed_);
    ++seen[static_cast<size_t>(id)];
  }
  for (const int32_t id : limbo_) NARAE_CHECK(page(id).last_step > completed_ && ++seen[static_cast<size_t>(id)] == 1);
  int32_t idle = 0;
  for (int32_t id = oldest_idle_; id != none; id = page(id).after, ++idle) {
    NARAE_CHECK(page(id).indexed && page(id).references == 0);
    ++seen[static_cast<size_t>(id)];
  }
  NARAE_CHECK(idle == idle_count_);
  for (int32_t id = 1; id < capacity_; ++id) {
    const Page& one = page(id);
    NARAE_CHECK(one.references == references[static_cast<size_t>(id)]);
    const bool retired = id >= limit_ && one.references == 0 && !one.indexed && seen[static_cast<size_t>(id)] == 0;
    NARAE_CHECK(seen[static_cast<size_t>(id)] + (one.references > 0) + retired == 1);
    NARAE_CHECK(one.indexed || one.children.empty());
    if (!one.indexed) continue;
    const std::vector<int32_t>& siblings = page(one.parent).children;
    NARAE_CHECK(std::count(siblings.begin(), siblings.end(), id) == 1);
    NARAE_CHECK(one.parent >= capacity_ || page(one.parent).references >= one.references);
  }
}

}  // namespace narae
