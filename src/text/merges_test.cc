// SPDX-License-Identifier: Apache-2.0
// The two ways of merging against the definition: always the lowest rank, leftmost first.
#include "text/merges.h"

#include <gtest/gtest.h>

#include <random>

namespace narae {
namespace {

std::vector<int32_t> by_definition(std::vector<int32_t> ids, const std::vector<Merge>& merges) {
  while (true) {
    const Merge* best = nullptr;
    size_t place = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      for (const Merge& merge : merges) {
        if (merge.left == ids[i] && merge.right == ids[i + 1] && (!best || merge.rank < best->rank)) {
          best = &merge;
          place = i;
        }
      }
    }
    if (!best) return ids;
    ids[place] = best->into;
    ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

TEST(MergeRules, EqualTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    std::vector<Merge> merges;
    for (int32_t made = 4; made < 40; ++made) {
      const auto pick = [&] { return static_cast<int32_t>(random() % made) - (random() % 8 == 0 ? made : 0) - 2; };
      const Merge merge{pick(), pick(), made - 2, static_cast<uint32_t>(random() % 20)};
      bool twice = false;
      for (const Merge& other : merges) twice = twice || (other.left == merge.left && other.right == merge.right);
      if (!twice && !(merge.left == -1 && merge.right == -1)) merges.push_back(merge);
    }
    const MergeRules rules(merges);
    MergeScratch scratch;
    for (const size_t size : {size_t{0}, size_t{1}, size_t{2}, size_t{20}, size_t{48}, size_t{49}, size_t{300}}) {
      std::vector<int32_t> ids;
      for (size_t i = 0; i < size; ++i) ids.push_back(static_cast<int32_t>(random() % 4) - 2);
      const std::vector<int32_t> want = by_definition(ids, merges);
      ids.resize(rules.merge(ids.data(), ids.size(), scratch));
      ASSERT_EQ(ids, want);
    }
  }
}

}  // namespace
}  // namespace narae
