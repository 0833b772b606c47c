// SPDX-License-Identifier: Apache-2.0
// One per Model and the only lock between fronts and Workers: requests by priority with ageing, a lane per Worker with
// pinned requests and its inbox (cancels, lifted holds). Whatever ends here unserved is answered here, once.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "batch/request.h"

namespace narae {

struct QueueLimits {
  size_t max_requests = 1024;
  Time ageing = 1'000'000;  // waiting this long (us) is worth one priority
};

// What a Worker hears before each step. Cancels are seen in the requests themselves.
struct Lifted {
  RequestPtr request;
  HoldBits holds = 0;
};
struct Arrivals {
  std::vector<RequestPtr> requests;
  std::vector<Lifted> lifted;
  bool stop = false;    // end everything now
  bool closed = false;  // nothing will come any more
};

enum class Refusal : uint8_t { none, full, closed };

// Always owned by a shared_ptr: Sinks reach it when their reader has made room.
class Queue : public std::enable_shared_from_this<Queue> {
 public:
  static constexpr int any_lane = -1;
  explicit Queue(QueueLimits limits = {}, int lanes = 1);

  // Any thread. A refused request is untouched and its Sink unused.
  Refusal push(const RequestPtr& request, Time now, int lane = any_lane);
  void cancel(const RequestPtr& request, Time now);
  void stop_branch(const RequestPtr& request, int32_t branch);  // below 64; its tokens so far stand
  void lift(const RequestPtr& request, HoldBits holds);
  void close();  // refuses what comes; Workers end when all is answered
  void stop();   // and cancels what is there
  size_t size() const;

  // A Worker's, with the number of its lane.
  // At most `wanted` requests, best first; requests past their deadline are answered instead. Never blocks.
  void take(int lane, size_t wanted, Time now, Arrivals& out);  // `out` is overwritten
  // Until there is something for take(lane, wanted, ..), or `until` of the steady clock.
  void wait(int lane, size_t wanted, Time until);

 private:
  using Key = std::pair<Time, uint64_t>;  // arrival less ageing * priority: linear ageing never changes an order
  using Waiting = std::map<Key, RequestPtr>;
  struct Lane {
    Waiting pinned;
    std::vector<Lifted> lifted;
    bool poked = false, waiting = false, wants = false;
    std::condition_variable bell;
  };
  Waiting& waiting_of(const Request& request) {
    return request.place.lane == any_lane ? shared_ : lanes_[static_cast<size_t>(request.place.lane)].pinned;
  }
  RequestPtr remove(Request& request);
  bool news(const Lane& lane, size_t wanted) const;
  std::condition_variable* bell_of(int lane);
  void ring(int lane);
  void poke_all();

  QueueLimits limits_;
  mutable std::mutex mutex_;
  Waiting shared_;
  std::vector<Lane> lanes_;
  std::set<std::pair<Time, Request*>> deadlines_;  // of those that wait
  size_t queued_ = 0;
  uint64_t next_order_ = 0;
  bool closed_ = false, stopped_ = false;
};

}  // namespace narae
