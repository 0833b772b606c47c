// SPDX-License-Identifier: Apache-2.0
// Greedy by size: the largest block first, each at the lowest place where no living neighbour lies; then the same by
// first use, and whichever needs less is taken. Blocks alive at the same time are found through an index over records,
// so long programs stay close to linear.
#include "plan/memory_plan.h"

#include <algorithm>
#include <numeric>

namespace narae {
namespace {

struct Placed {
  int64_t begin, end;
};

class Placer {
 public:
  Placer(const std::vector<MemoryBlock>& blocks, const HappensBefore& before, int64_t alignment)
      : blocks_(blocks), before_(before), alignment_(alignment) {
    int records = 0;
    for (const MemoryBlock& block : blocks) records = std::max(records, block.last + 1);
    buckets_ = std::max(1, std::min(256, records / 16));
    per_bucket_ = (records + buckets_ - 1) / std::max(1, buckets_) + 1;
  }

  MemoryPlan place(const std::vector<int>& order) {
    MemoryPlan plan;
    plan.offsets.assign(blocks_.size(), 0);
    in_bucket_.assign(static_cast<size_t>(buckets_), {});
    std::vector<int> seen(blocks_.size(), -1);
    std::vector<Placed> taken;
    for (const int block : order) {
      const MemoryBlock& b = blocks_[static_cast<size_t>(block)];
      if (b.bytes == 0) continue;
      const int64_t bytes = (b.bytes + alignment_ - 1) / alignment_ * alignment_;
      taken.clear();
      // On several lanes a neighbour may be alive although its records do not overlap: look everywhere then.
      const int from = before_ ? 0 : b.first / per_bucket_, to = before_ ? buckets_ - 1 : b.last / per_bucket_;
      for (int bucket = from; bucket <= to; ++bucket) {
        for (const int other : in_bucket_[static_cast<size_t>(bucket)]) {
          if (seen[static_cast<size_t>(other)] == block || !conflict(block, other)) continue;
          seen[static_cast<size_t>(other)] = block;
          const int64_t begin = plan.offsets[static_cast<size_t>(other)];
          taken.push_back({begin, begin + blocks_[static_cast<size_t>(other)].bytes});
        }
      }
      std::sort(taken.begin(), taken.end(), [](const Placed& x, const Placed& y) { return x.begin < y.begin; });
      plan.offsets[static_cast<size_t>(block)] = lowest_fit(taken, bytes);
      plan.arena_bytes = std::max(plan.arena_bytes, plan.offsets[static_cast<size_t>(block)] + bytes);
      for (int bucket = b.first / per_bucket_; bucket <= b.last / per_bucket_; ++bucket) {
        in_bucket_[static_cast<size_t>(bucket)].push_back(block);
      }
    }
    return plan;
  }

 private:
  bool conflict(int x, int y) const {
    if (before_) return !before_(x, y) && !before_(y, x);
    const MemoryBlock &a = blocks_[static_cast<size_t>(x)], &b = blocks_[static_cast<size_t>(y)];
    return a.first <= b.last && b.first <= a.last;
  }

  int64_t lowest_fit(const std::vector<Placed>& taken, int64_t bytes) const {
    int64_t at = 0, best = -1, best_gap = 0;
    for (const Placed& other : taken) {
      const int64_t gap = other.begin - at;
      if (gap >= bytes && (best < 0 || gap < best_gap)) {
        best = at;
        best_gap = gap;
      }
      at = std::max(at, (other.end + alignment_ - 1) / alignment_ * alignment_);
    }
    return best >= 0 ? best : at;
  }

  const std::vector<MemoryBlock>& blocks_;
  const HappensBefore& before_;
  int64_t alignment_;
  int buckets_ = 1, per_bucket_ = 1;
  std::vector<std::vector<int>> in_bucket_;
};

int64_t most_alive(const std::vector<MemoryBlock>& blocks) {
  int records = 0;
  for (const MemoryBlock& block : blocks) records = std::max(records, block.last + 1);
  std::vector<int64_t> change(static_cast<size_t>(records) + 1, 0);
  for (const MemoryBlock& block : blocks) {
    change[static_cast<size_t>(block.first)] += block.bytes;
    change[static_cast<size_t>(block.last) + 1] -= block.bytes;
  }
  int64_t alive = 0, most = 0;
  for (const int64_t bytes : change) most = std::max(most, alive += bytes);
  return most;
}

}  // namespace

MemoryPlan plan_memory(const std::vector<MemoryBlock>& blocks, const HappensBefore& before, int64_t alignment) {
  std::vector<int> order(blocks.size());
  std::iota(order.begin(), order.end(), 0);
  auto block = [&](int i) -> const MemoryBlock& { return blocks[static_cast<size_t>(i)]; };
  Placer placer(blocks, before, alignment);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return block(a).bytes > block(b).bytes; });
  MemoryPlan plan = placer.place(order);
  const int64_t bound = most_alive(blocks);
  if (plan.arena_bytes > bound) {
    auto longest = order;
    std::stable_sort(longest.begin(), longest.end(), [&](int a, int b) { return block(a).first < block(b).first; });
    MemoryPlan by_time = placer.place(longest);
    if (by_time.arena_bytes < plan.arena_bytes) plan = std::move(by_time);
  }
  plan.lower_bound_bytes = bound;
  return plan;
}

}  // namespace narae
