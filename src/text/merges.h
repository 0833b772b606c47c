// SPDX-License-Identifier: Apache-2.0
// Byte-pair merging over token ids: of all neighbours that a rule joins, the one of lowest rank, leftmost first, until
// none is left (Sennrich et al., 2016). Ids below 0 stand for characters that are no token; rules may name them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace narae {

struct Merge {
  int32_t left, right, into;
  uint32_t rank;
};

// What one call of merge() needs beside the symbols; keep it between calls, never share it between threads.
struct MergeScratch {
  struct Candidate {
    uint64_t order;  // rank, then place
    int32_t left, right, into;
  };
  std::vector<Candidate> heap;
  std::vector<int32_t> next, previous;
};

class MergeRules {
 public:
  // Of equal pairs the last counts.
  explicit MergeRules(const std::vector<Merge>& merges);

  // Merges ids[0, count) in place; how many are left. O(n log n); n < 2^31.
  size_t merge(int32_t* ids, size_t count, MergeScratch& scratch) const;

 private:
  struct Slot {
    uint64_t pair = empty;
    uint32_t rank = 0;
    int32_t into = 0;
  };
  static constexpr uint64_t empty = ~uint64_t{0};  // the pair (-1, -1), which add() refuses
  static uint64_t pair_of(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  size_t place_of(uint64_t pair) const { return (pair * 0x9e3779b97f4a7c15ULL) >> shift_; }
  const Slot* find(int32_t left, int32_t right) const;
  size_t merge_short(int32_t* ids, size_t count) const;
  size_t merge_long(int32_t* ids, size_t count, MergeScratch& scratch) const;
  void consider(const int32_t* ids, int32_t left, int32_t right, MergeScratch& scratch) const;

  std::vector<Slot> slots_;
  int shift_;
};

}  // namespace narae
