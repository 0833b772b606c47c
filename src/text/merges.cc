// SPDX-License-Identifier: Apache-2.0
// Merging. Short words (nearly all) scan an array of ranks; long ones keep a heap whose stale entries are recognised by
// the ids they were made for.
#include "text/merges.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace narae {
namespace {

constexpr size_t short_word = 48;
constexpr uint32_t no_rank = UINT32_MAX;
constexpr int32_t swallowed = INT32_MIN;

bool later(const MergeScratch::Candidate& a, const MergeScratch::Candidate& b) { return a.order > b.order; }

}  // namespace

MergeRules::MergeRules(const std::vector<Merge>& merges) {
  const size_t slots = std::bit_ceil(merges.size() * 2 + 2);
  slots_.resize(slots);
  shift_ = 64 - std::countr_zero(slots);
  for (const Merge& merge : merges) {
    const uint64_t pair = pair_of(merge.left, merge.right);
    NARAE_CHECK(pair != empty && merge.rank != no_rank);
    size_t at = place_of(pair);
    while (slots_[at].pair != empty && slots_[at].pair != pair) at = (at + 1) & (slots - 1);
    slots_[at] = {pair, merge.rank, merge.into};
  }
}

inline const MergeRules::Slot* MergeRules::find(int32_t left, int32_t right) const {
  const uint64_t pair = pair_of(left, right);
  const Slot* slots = slots_.data();
  const size_t mask = slots_.size() - 1;
  for (size_t at = place_of(pair); slots[at].pair != empty; at = (at + 1) & mask) {
    if (slots[at].pair == pair) return &slots[at];
  }
  return nullptr;
}

size_t MergeRules::merge(int32_t* ids, size_t count, MergeScratch& scratch) const {
  if (count < 2) return count;
  return count <= short_word ? merge_short(ids, count) : merge_long(ids, count, scratch);
}

size_t MergeRules::merge_short(int32_t* ids, size_t count) const {
  uint32_t rank[short_word];  // of the pair (i, i + 1)
  int32_t into[short_word];
  const auto look = [&](size_t i) {
    const Slot* found = find(ids[i], ids[i + 1]);
    rank[i] = found ? found->rank : no_rank;
    into[i] = found ? found->into : 0;
  };
  for (size_t i = 0; i + 1 < count; ++i) look(i);
  while (count > 1) {
    size_t best = 0;
    uint32_t lowest = rank[0];
    for (size_t i = 1; i + 1 < count; ++i) {
      if (rank[i] < lowest) {
        lowest = rank[i];
        best = i;
      }
    }
    if (lowest == no_rank) break;
    ids[best] = into[best];
    --count;
    std::copy(ids + best + 2, ids + count + 1, ids + best + 1);
    if (best + 1 < count) {
      std::copy(rank + best + 2, rank + count, rank + best + 1);
      std::copy(into + best + 2, into + count, into + best + 1);
      look(best);
    }
    if (best > 0) look(best - 1);
  }
  return count;
}

inline void MergeRules::consider(const int32_t* ids, int32_t left, int32_t right, MergeScratch& scratch) const {
  const Slot* found = find(ids[left], ids[right]);
  if (!found) return;
  const uint64_t order = uint64_t{found->rank} << 32 | static_cast<uint32_t>(left);
  scratch.heap.push_back({order, ids[left], ids[right], found->into});
  std::push_heap(scratch.heap.begin(), scratch.heap.end(), later);
}

size_t MergeRules::merge_long(int32_t* ids, size_t count, MergeScratch& scratch) const {
  const auto size = static_cast<int32_t>(count);
  scratch.heap.clear();
  scratch.next.resize(count);
  scratch.previous.resize(count);
  for (int32_t i = 0; i < size; ++i) {
    scratch.next[i] = i + 1;
    scratch.previous[i] = i - 1;
  }
  for (int32_t i = 0; i + 1 < size; ++i) consider(ids, i, i + 1, scratch);
  while (!scratch.heap.empty()) {
    std::pop_heap(scratch.heap.begin(), scratch.heap.end(), later);
    const MergeScratch::Candidate best = scratch.heap.back();
    scratch.heap.pop_back();
    const auto left = static_cast<int32_t>(best.order & UINT32_MAX);
    const int32_t right = scratch.next[left];
    if (ids[left] != best.left || right == size || ids[right] != best.right) continue;
    ids[left] = best.into;
    ids[right] = swallowed;
    const int32_t after = scratch.next[left] = scratch.next[right];
    if (after < size) {
      scratch.previous[after] = left;
      consider(ids, left, after, scratch);
    }
    if (const int32_t before = scratch.previous[left]; before >= 0) consider(ids, before, left, scratch);
  }
  size_t left_over = 0;
  for (int32_t i = 0; i < size; i = scratch.next[i]) ids[left_over++] = ids[i];
  return left_over;
}

}  // namespace narae
