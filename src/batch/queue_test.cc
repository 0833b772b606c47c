// SPDX-License-Identifier: Apache-2.0
#include "batch/queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace narae {
namespace {

RequestPtr make_request(uint64_t id, int priority = 0, Time deadline = never) {
  auto request = std::make_shared<Request>();
  request->id = id;
  request->priority = priority;
  request->deadline = deadline;
  return request;
}

std::vector<uint64_t> taken(Queue& queue, int lane, size_t wanted, Time now) {
  Arrivals arrivals;
  queue.take(lane, wanted, now, arrivals);
  std::vector<uint64_t> ids;
  for (const RequestPtr& request : arrivals.requests) ids.push_back(request->id);
  return ids;
}

using Ids = std::vector<uint64_t>;

TEST(Queue, OrderIsPriorityThenArrival) {
  auto queue = std::make_shared<Queue>();
  for (const uint64_t id : {1, 2, 3}) queue->push(make_request(id, id == 3 ? 1 : 0), static_cast<Time>(id));
  EXPECT_EQ(taken(*queue, 0, 2, 10), (Ids{3, 1}));
  EXPECT_EQ(taken(*queue, 0, 5, 10), (Ids{2}));
  EXPECT_EQ(queue->size(), 0u);
}

TEST(Queue, AgeingOutweighsPriority) {
  auto queue = std::make_shared<Queue>(QueueLimits{10, 100});
  queue->push(make_request(1, 0), 0);
  queue->push(make_request(2, 1), 99);   // 99 us later is less than one priority
  queue->push(make_request(3, 1), 101);  // and 101 us more
  EXPECT_EQ(taken(*queue, 0, 5, 200), (Ids{2, 1, 3}));
}

TEST(Queue, FullAndClosedRefuse) {
  auto queue = std::make_shared<Queue>(QueueLimits{2, 100});
  EXPECT_EQ(queue->push(make_request(1), 0), Refusal::none);
  EXPECT_EQ(queue->push(make_request(2), 0), Refusal::none);
  const RequestPtr refused = make_request(3);
  EXPECT_EQ(queue->push(refused, 0), Refusal::full);
  EXPECT_FALSE(refused->out->ended());
  EXPECT_EQ(taken(*queue, 0, 1, 0), (Ids{1}));
  queue->close();
  EXPECT_EQ(queue->push(make_request(4), 0), Refusal::closed);
  Arrivals arrivals;
  queue->take(0, 0, 0, arrivals);
  EXPECT_FALSE(arrivals.closed);  // one still waits
  queue->take(0, 1, 0, arrivals);
  EXPECT_TRUE(arrivals.closed);
}

TEST(Queue, DeadlinesAreAnsweredThere) {
  auto queue = std::make_shared<Queue>();
  const RequestPtr late = make_request(1, 0, 50), fine = make_request(2, 0, 500);
  queue->push(late, 0);
  queue->push(fine, 0);
  EXPECT_EQ(taken(*queue, 0, 0, 49), Ids{});
  EXPECT_FALSE(late->out->ended());
  EXPECT_EQ(taken(*queue, 0, 5, 50), Ids{2});
  ASSERT_TRUE(late->out->ended());
  EXPECT_EQ(late->out->ending().finish, Finish::expired);
  EXPECT_FALSE(fine->out->ended());
}

TEST(Queue, CancelAnswersWhoWaitsAndTellsWhoWorks) {
  auto queue = std::make_shared<Queue>(QueueLimits{}, 2);
  const RequestPtr waits = make_request(1), runs = make_request(2);
  queue->push(runs, 0);
  EXPECT_EQ(taken(*queue, 1, 1, 0), Ids{2});
  queue->push(waits, 0);
  queue->cancel(waits, 1);
  queue->cancel(waits, 1);
  ASSERT_TRUE(waits->out->ended());
  EXPECT_EQ(waits->out->ending().finish, Finish::cancelled);
  EXPECT_EQ(queue->size(), 0u);
  queue->cancel(runs, 1);
  EXPECT_TRUE(runs->cancelled);
  EXPECT_FALSE(runs->out->ended());  // its Worker does that
  queue->wait(1, 0, never);          // does not block: the lane was rung
}

TEST(Queue, PinnedWorkGoesToItsLaneInTurn) {
  auto queue = std::make_shared<Queue>(QueueLimits{}, 2);
  queue->push(make_request(1), 0);
  queue->push(make_request(2), 1, 1);
  queue->push(make_request(3), 2);
  EXPECT_EQ(taken(*queue, 1, 2, 5), (Ids{1, 2}));
  EXPECT_EQ(taken(*queue, 0, 5, 5), (Ids{3}));
}

TEST(Queue, HoldsAreLiftedWhereverTheRequestIs) {
  auto queue = std::make_shared<Queue>();
  const RequestPtr request = make_request(1);
  request->holds = hold_grammar | hold_media;
  queue->push(request, 0);
  queue->lift(request, hold_grammar);
  EXPECT_EQ(request->holds, hold_media);
  Arrivals arrivals;
  queue->take(0, 1, 0, arrivals);
  queue->lift(request, hold_media);
  queue->take(0, 0, 0, arrivals);
  ASSERT_EQ(arrivals.lifted.size(), 1u);
  EXPECT_EQ(arrivals.lifted[0].holds, hold_media);
  queue->take(0, 0, 0, arrivals);
  EXPECT_TRUE(arrivals.lifted.empty());
}

TEST(Queue, StopAnswersAll) {
  auto queue = std::make_shared<Queue>();
  const RequestPtr request = make_request(1);
  queue->push(request, 0);
  queue->stop();
  Arrivals arrivals;
  queue->take(0, 0, 3, arrivals);
  EXPECT_TRUE(arrivals.stop && arrivals.closed);
  ASSERT_TRUE(request->out->ended());
  EXPECT_EQ(request->out->ending().finish, Finish::cancelled);
}

TEST(Queue, ManyFrontsAndWorkersLoseNothing) {
  auto queue = std::make_shared<Queue>(QueueLimits{100'000, 100}, 3);
  constexpr int fronts = 4, each = 500;
  const SteadyClock clock;
  std::atomic<uint64_t> sum{0}, count{0};
  std::vector<std::thread> workers, pushers;
  for (int lane = 0; lane < 3; ++lane) {
    workers.emplace_back([&, lane] {
      Arrivals arrivals;
      for (;;) {
        queue->take(lane, 2, clock.now(), arrivals);
        for (const RequestPtr& request : arrivals.requests) sum += request->id, ++count;
        if (arrivals.requests.empty() && arrivals.closed) return;
        if (arrivals.requests.empty()) queue->wait(lane, 2, never);
      }
    });
  }
  for (int front = 0; front < fronts; ++front) {
    pushers.emplace_back([&] {
      for (uint64_t id = 1; id <= each; ++id) queue->push(make_request(id), clock.now(), id % 4 ? Queue::any_lane : 1);
    });
  }
  for (std::thread& thread : pushers) thread.join();
  queue->close();
  for (std::thread& thread : workers) thread.join();
  EXPECT_EQ(count, static_cast<uint64_t>(fronts * each));
  EXPECT_EQ(sum, static_cast<uint64_t>(fronts) * each * (each + 1) / 2);
}

}  // namespace
}  // namespace narae
