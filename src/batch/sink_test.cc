// SPDX-License-Identifier: Apache-2.0
#include "batch/sink.h"

#include <gtest/gtest.h>

#include <thread>

namespace narae {
namespace {

TEST(Sink, PlacesAreReservedAndFreedByReading) {
  Sink sink(2);
  int resumed = 0;
  sink.on_resume([&] { ++resumed; });
  EXPECT_TRUE(sink.reserve());
  EXPECT_TRUE(sink.reserve());
  EXPECT_FALSE(sink.reserve());
  sink.unreserve();
  EXPECT_TRUE(sink.reserve());
  sink.push({0, 7, 0, Finish::none});
  EXPECT_FALSE(sink.reserve());  // one read, one reserved: still full
  Piece pieces[4];
  ASSERT_EQ(sink.read(pieces), 1u);
  EXPECT_EQ(pieces[0].token, 7);
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(sink.read(pieces), 0u);
  EXPECT_EQ(resumed, 1);
  EXPECT_TRUE(sink.reserve());
}

TEST(Sink, EndsHaveAPlaceWhenFull) {
  Sink sink(1, 2);
  EXPECT_TRUE(sink.reserve());
  sink.push({0, 1, 0, Finish::none});
  sink.push_end({0, -1, 0, Finish::cancelled});
  sink.push_end({1, -1, 0, Finish::cancelled});
  sink.end({Finish::cancelled, {}, {}, 0, 0, 0, 0});
  EXPECT_TRUE(sink.ended());
  EXPECT_FALSE(sink.finished());
  Piece pieces[4];
  EXPECT_EQ(sink.read(pieces), 3u);
  EXPECT_TRUE(sink.finished());
}

TEST(Sink, TheReaderIsToldOnceAStep) {
  Sink sink(8);
  int told = 0;
  sink.on_news([&] { ++told; });
  sink.flush();
  EXPECT_EQ(told, 0);
  for (int token = 0; token < 3; ++token) {
    ASSERT_TRUE(sink.reserve());
    sink.push({0, token, 0, Finish::none});
  }
  sink.flush();
  sink.flush();
  EXPECT_EQ(told, 1);
}

TEST(Sink, AllTokensArriveInOrderAcrossThreads) {
  constexpr int tokens = 20'000;
  Sink sink(16);
  std::atomic<int> resumed{0};
  sink.on_resume([&] {
    ++resumed;
    resumed.notify_one();
  });
  std::thread worker([&] {
    for (int token = 0; token < tokens; ++token) {
      for (int before = resumed; !sink.reserve(); before = resumed) resumed.wait(before);
      sink.push({0, token, 0, Finish::none});
      sink.flush();
    }
    sink.end({});
    sink.flush();
  });
  int expected = 0;
  Piece pieces[5];
  while (!sink.finished()) {
    sink.wait();
    const size_t count = sink.read(pieces);
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(pieces[i].token, expected++);
  }
  worker.join();
  EXPECT_EQ(expected, tokens);
}

}  // namespace
}  // namespace narae
