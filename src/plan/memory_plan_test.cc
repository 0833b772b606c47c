// SPDX-License-Identifier: Apache-2.0
#include "plan/memory_plan.h"

#include <gtest/gtest.h>

namespace narae {
namespace {

TEST(MemoryPlan, LivingBlocksNeverOverlap) {
  uint64_t state = 5;
  auto below = [&state](int n) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int>((state >> 33) % static_cast<uint64_t>(n));
  };
  for (int round = 0; round < 100; ++round) {
    std::vector<MemoryBlock> blocks;
    const int records = 2 + below(200);
    for (int i = 0; i < 150; ++i) {
      const int first = below(records);
      blocks.push_back({below(5000), first, std::min(records - 1, first + below(20))});
    }
    const MemoryPlan plan = plan_memory(blocks);
    for (size_t a = 0; a < blocks.size(); ++a) {
      EXPECT_LE(plan.offsets[a] + blocks[a].bytes, plan.arena_bytes);
      EXPECT_EQ(plan.offsets[a] % 64, 0);
      for (size_t b = 0; b < a; ++b) {
        const bool alive = blocks[a].first <= blocks[b].last && blocks[b].first <= blocks[a].last;
        const bool apart = plan.offsets[a] + blocks[a].bytes <= plan.offsets[b] ||
                           plan.offsets[b] + blocks[b].bytes <= plan.offsets[a] || !blocks[a].bytes || !blocks[b].bytes;
        EXPECT_TRUE(!alive || apart);
      }
    }
    EXPECT_GE(plan.arena_bytes + 64, plan.lower_bound_bytes);
  }
}

TEST(MemoryPlan, ChainsNeedTwoBlocks) {
  std::vector<MemoryBlock> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back({6400, i, i + 1});
  const MemoryPlan plan = plan_memory(blocks);
  EXPECT_EQ(plan.arena_bytes, 12800);
  EXPECT_EQ(plan.lower_bound_bytes, 12800);
}

TEST(MemoryPlan, LanesThatMayOverlapDoNotShare) {
  // Records 0 and 1 run side by side: nothing orders them.
  const std::vector<MemoryBlock> blocks = {{640, 0, 0}, {640, 1, 1}, {640, 2, 2}};
  const MemoryPlan plan = plan_memory(blocks, [](int a, int b) { return a < b && b == 2; });
  EXPECT_NE(plan.offsets[0], plan.offsets[1]);
  EXPECT_EQ(plan.arena_bytes, 1280);
}

}  // namespace
}  // namespace narae
