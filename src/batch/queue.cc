// SPDX-License-Identifier: Apache-2.0
// Requests are answered outside the lock: a Sink's reader may do anything when it is told.
#include "batch/queue.h"

namespace narae {

namespace {
size_t lane_index(int lane) { return static_cast<size_t>(lane); }
}  // namespace

Queue::Queue(QueueLimits limits, int lanes) : limits_(limits), lanes_(lane_index(lanes)) {}

Refusal Queue::push(const RequestPtr& request, Time now, int lane) {
  std::unique_lock<std::mutex> lock(mutex_);
  NARAE_CHECK(lane < static_cast<int>(lanes_.size()) && !weak_from_this().expired());
  if (closed_) return Refusal::closed;
  if (queued_ >= limits_.max_requests) return Refusal::full;
  request->arrived = now;
  request->trace->mark(now, "queued");
  request->place = {lane, true, now - limits_.ageing * request->priority, next_order_++};
  request->out->on_resume([queue = weak_from_this(), weak = std::weak_ptr<Request>(request)] {
    const auto self = queue.lock();
    if (const RequestPtr held = weak.lock(); self && held) self->lift(held, hold_sink_full);
  });
  waiting_of(*request).emplace(Key{request->place.rank, request->place.order}, request);
  if (request->deadline != never) deadlines_.insert({request->deadline, request.get()});
  ++queued_;
  std::condition_variable* bell = bell_of(lane);
  lock.unlock();  // else the Worker wakes only to wait for it
  if (bell) bell->notify_one();
  return Refusal::none;
}

// The bell of the lane, or for shared work of one that waits for it; null: it does not sleep.
std::condition_variable* Queue::bell_of(int lane) {
  if (lane == any_lane) {
    for (size_t i = 0; i < lanes_.size() && lane == any_lane; ++i) {
      if (lanes_[i].waiting && lanes_[i].wants) lane = static_cast<int>(i);
    }
    if (lane == any_lane) return nullptr;
  }
  Lane& found = lanes_[lane_index(lane)];
  if (!found.waiting) return nullptr;
  found.waiting = false;
  return &found.bell;
}

void Queue::ring(int lane) {
  if (std::condition_variable* bell = bell_of(lane)) bell->notify_one();
}

RequestPtr Queue::remove(Request& request) {
  Waiting& waiting = waiting_of(request);
  const auto found = waiting.find({request.place.rank, request.place.order});
  NARAE_CHECK(found != waiting.end());
  RequestPtr kept = std::move(found->second);
  waiting.erase(found);
  if (request.deadline != never) deadlines_.erase({request.deadline, &request});
  request.place.waits = false;
  --queued_;
  return kept;
}

void Queue::cancel(const RequestPtr& request, Time now) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (request->cancelled.exchange(true)) return;
    if (!request->place.waits) {
      if (request->place.lane == any_lane) return;  // never pushed
      lanes_[lane_index(request->place.lane)].poked = true;
      ring(request->place.lane);
      return;
    }
    remove(*request);
  }
  end_request(*request, Finish::cancelled, now);
}

void Queue::stop_branch(const RequestPtr& request, int32_t branch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  request->stopped.fetch_or(uint64_t{1} << branch);
  if (request->place.waits || request->place.lane == any_lane) return;
  lanes_[lane_index(request->place.lane)].poked = true;
  ring(request->place.lane);
}

void Queue::lift(const RequestPtr& request, HoldBits holds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (request->place.waits || request->place.lane == any_lane) {
    request->holds &= ~holds;
    return;
  }
  lanes_[lane_index(request->place.lane)].lifted.push_back({request, holds});
  ring(request->place.lane);
}

void Queue::poke_all() {
  for (size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].poked = true;
    ring(static_cast<int>(i));
  }
}

void Queue::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  poke_all();
}

void Queue::stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = stopped_ = true;
  poke_all();
}

size_t Queue::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return queued_;
}

void Queue::take(int lane, size_t wanted, Time now, Arrivals& out) {
  out.requests.clear();
  out.lifted.clear();
  std::vector<RequestPtr> expired, stopped;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Lane& own = lanes_[lane_index(lane)];
    out.lifted.swap(own.lifted);
    own.poked = false;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now)
      expired.push_back(remove(*deadlines_.begin()->second));
    if (stopped_) {
      for (Waiting* waiting : {&own.pinned, &shared_}) {
        while (!waiting->empty()) stopped.push_back(remove(*waiting->begin()->second));
      }
    }
    while (out.requests.size() < wanted && !(own.pinned.empty() && shared_.empty())) {
      const bool pinned =
          shared_.empty() || (!own.pinned.empty() && own.pinned.begin()->first < shared_.begin()->first);
      out.requests.push_back(remove(*(pinned ? own.pinned : shared_).begin()->second));
      out.requests.back()->place.lane = lane;
      out.requests.back()->trace->mark(now, "taken");
    }
    out.stop = stopped_;
    out.closed = closed_ && own.pinned.empty() && shared_.empty();
  }
  for (const RequestPtr& request : expired) {
    end_request(*request, Finish::expired, now,
                Error(ErrorCode::failed, "the deadline passed in the queue; raise it, or send less at a time"));
  }
  for (const RequestPtr& request : stopped) end_request(*request, Finish::cancelled, now);
}

bool Queue::news(const Lane& lane, size_t wanted) const {
  return lane.poked || !lane.lifted.empty() || (wanted > 0 && !(lane.pinned.empty() && shared_.empty()));
}

void Queue::wait(int lane, size_t wanted, Time until) {
  std::unique_lock<std::mutex> lock(mutex_);
  Lane& own = lanes_[lane_index(lane)];
  if (!deadlines_.empty()) until = std::min(until, deadlines_.begin()->first);
  own.wants = wanted > 0;
  while (!news(own, wanted)) {
    own.waiting = true;
    const auto rung = [&] { return !own.waiting; };
    if (until == never) {
      own.bell.wait(lock, rung);
    } else if (!own.bell.wait_until(lock, std::chrono::steady_clock::time_point(std::chrono::microseconds(until)),
                                    rung)) {
      break;
    }
  }
  own.waiting = false;
}

}  // namespace narae
