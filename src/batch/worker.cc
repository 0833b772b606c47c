// SPDX-License-Identifier: Apache-2.0
#include "batch/worker.h"

namespace narae {

namespace {

template <typename Half>
void attempt(Step& step, Half&& half) {
  try {
    half();
  } catch (...) {
    if (!step.error) step.error = std::current_exception();
  }
}

}  // namespace

bool Worker::turn() {
  const Time now = clock_.now();
  queue_->take(lane_, batcher_.wants(), now, arrivals_);
  batcher_.admit(arrivals_, now);
  Step* begun = nullptr;
  if (flight_.size() < depth_ && (flight_.empty() || flight_.back()->finished)) begun = batcher_.next(now);
  if (begun) {
    flight_.push_back(begun);
    attempt(*begun, [&] { runner_.begin(*begun); });
  }
  for (Step* step : flight_) {
    if (step->finished || step->after > completed_) continue;
    if (!step->error) attempt(*step, [&] { batcher_.late(*step), runner_.finish(*step); });
    step->finished = true;
  }
  if (begun && flight_.size() < depth_) return true;
  if (flight_.empty()) return false;
  Step& oldest = *flight_.front();
  attempt(oldest, [&] { runner_.wait(oldest); });
  flight_.erase(flight_.begin());
  completed_ = oldest.id;
  steps_.fetch_add(1, std::memory_order_relaxed);
  batcher_.complete(oldest, clock_.now());
  return true;
}

void Worker::run() {
  for (;;) {
    if (turn()) continue;
    if (arrivals_.closed && batcher_.live() == 0) return;
    queue_->wait(lane_, batcher_.wants(), batcher_.wake());
  }
}

}  // namespace narae
