// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/turns.h"

#include <gtest/gtest.h>

#include <atomic>

namespace narae::cpu {
namespace {

TEST(Turns, WhoComesBackWaitsForThoseWhoWait) {
  Turns turns;
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> served{false};
    turns.enter();
    std::thread other([&] {
      turns.enter();
      served = true;
      turns.leave();
    });
    while (turns.waiting() == 0) std::this_thread::yield();
    turns.leave();
    turns.enter();
    EXPECT_TRUE(served);
    turns.leave();
    other.join();
  }
}

TEST(Turns, OneAtATime) {
  Turns turns;
  int inside = 0, count = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 500; ++round) {
        turns.enter();
        EXPECT_EQ(++inside, 1);
        ++count;
        --inside;
        turns.leave();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 2000);
  EXPECT_EQ(turns.waiting(), 0u);
}

}  // namespace
}  // namespace narae::cpu
