// SPDX-License-Identifier: Apache-2.0
#include "batch/sink.h"

#include <algorithm>

namespace narae {

const char* finish_name(Finish finish) {
  switch (finish) {
    case Finish::none: return "none";
    case Finish::done: return "done";
    case Finish::stop: return "stop";
    case Finish::length: return "length";
    case Finish::cancelled: return "cancelled";
    case Finish::expired: return "expired";
    case Finish::failed: return "failed";
  }
  return "none";
}

Sink::Sink(size_t capacity, size_t branches)
    : capacity_(std::max<size_t>(capacity, 1)), ring_(capacity_ + std::max<size_t>(branches, 1)) {}

size_t Sink::read(std::span<Piece> out) {
  const uint64_t head = head_.load(std::memory_order_relaxed);
  const size_t count = std::min<size_t>(out.size(), tail_.load(std::memory_order_acquire) - head);
  for (size_t i = 0; i < count; ++i) out[i] = std::move(ring_[(head + i) % ring_.size()]);
  if (count == 0) return 0;
  head_.store(head + count);  // sequentially consistent, as is starved_: one of the two sides sees the other
  if (starved_.exchange(false) && resume_call_) resume_call_();
  return count;
}

void Sink::wait() const {
  for (;;) {
    const uint32_t news = news_.load(std::memory_order_acquire);
    if (ended() || head_.load() != tail_.load(std::memory_order_acquire)) return;
    news_.wait(news);
  }
}

bool Sink::reserve() {
  const auto has_room = [&] { return tail_.load(std::memory_order_relaxed) - head_.load() + reserved_ < capacity_; };
  if (!has_room()) {
    starved_.store(true);
    if (!has_room()) return false;
    starved_.store(false);
  }
  ++reserved_;
  return true;
}

void Sink::store(const Piece& piece) {
  const uint64_t tail = tail_.load(std::memory_order_relaxed);
  NARAE_CHECK(tail - head_.load(std::memory_order_acquire) < ring_.size());
  ring_[tail % ring_.size()] = piece;
  tail_.store(tail + 1, std::memory_order_release);
  fresh_ = true;
}

void Sink::push(const Piece& piece) {
  NARAE_CHECK(reserved_ > 0);
  --reserved_;
  store(piece);
}

void Sink::push_end(const Piece& piece) { store(piece); }

void Sink::end(Ending ending) {
  NARAE_CHECK(!ended_.load());
  ending_ = std::move(ending);
  starved_.store(false);
  fresh_ = true;
  ended_.store(true, std::memory_order_release);
}

void Sink::flush() {
  if (!fresh_) return;
  fresh_ = false;
  news_.fetch_add(1, std::memory_order_release);
  news_.notify_all();
  if (news_call_) news_call_();
}

}  // namespace narae
