// SPDX-License-Identifier: Apache-2.0
// Every other synchronize() lets the other streams run ahead first, as far as they wait for nobody: work of two lanes
// that shares memory without an event gives wrong numbers in one of the two orders.
#include "backend/fake/fake_stream.h"

#include <sys/mman.h>

#include <cstring>

#include "base/error.h"

namespace narae::fake {

void* FakeMemory::allocate(size_t bytes) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) fail(ErrorCode::does_not_fit, "out of memory: {} bytes could not be had", bytes);
  std::memset(data, poison_byte, bytes);
  if (running_ == 0) ::mprotect(data, bytes, PROT_NONE);
  blocks_.insert({data, bytes});
  return data;
}

void FakeMemory::release(void* data, size_t bytes) {
  const std::lock_guard<std::recursive_mutex> lock(mutex_);
  blocks_.erase({data, bytes});
  ::munmap(data, bytes);
}

void FakeMemory::open(bool accessible) {
  running_ += accessible ? 1 : -1;
  if (running_ > 1 || (running_ == 1 && !accessible)) return;
  for (const auto& [data, bytes] : blocks_) ::mprotect(data, bytes, accessible ? PROT_READ | PROT_WRITE : PROT_NONE);
}

FakeStream::FakeStream(FakeMemory& memory) : memory_(memory) {
  const std::lock_guard<std::recursive_mutex> lock(memory_.mutex_);
  memory_.streams_.insert(this);
}

FakeStream::~FakeStream() {
  const std::lock_guard<std::recursive_mutex> lock(memory_.mutex_);
  memory_.streams_.erase(this);
}

void FakeStream::enqueue(std::function<void()> work) {
  const std::lock_guard<std::recursive_mutex> lock(memory_.mutex_);
  items_.push_back({std::move(work), nullptr, nullptr});
}

void FakeStream::copy(void* to, const void* from, size_t bytes) {
  enqueue([=] {
    if (bytes) std::memmove(to, from, bytes);
  });
}

void FakeStream::discard(void* data, size_t bytes) {
  enqueue([=] {
    if (bytes) std::memset(data, poison_byte, bytes);
  });
}

void FakeStream::record(Event& event) {
  const std::lock_guard<std::recursive_mutex> lock(memory_.mutex_);
  auto ticket = std::make_shared<Ticket>();
  ticket->stream = this;
  static_cast<FakeEvent&>(event).last_ = ticket;
  items_.push_back({{}, nullptr, ticket});
}

void FakeStream::wait(const Event& event) {
  const std::lock_guard<std::recursive_mutex> lock(memory_.mutex_);
  const std::shared_ptr<Ticket>& ticket = static_cast<const FakeEvent&>(event).last_;
  if (ticket) items_.push_back({{}, ticket, nullptr});
}

void FakeStream::step() {
  const Item item = std::move(items_.front());
  items_.pop_front();
  if (item.awaited && !item.awaited->done) item.awaited->stream->run_until(item.awaited.get());
  if (item.work) item.work();
  if (item.recorded) item.recorded->done = true;
}

void FakeStream::run_until(const Ticket* ticket) {
  while (!items_.empty() && !(ticket && ticket->done)) step();
  if (ticket && !ticket->done) fail(ErrorCode::internal, "an event is awaited that no stream will record");
}

void FakeStream::run_ready() {
  while (!items_.empty() && !(items_.front().awaited && !items_.front().awaited->done)) step();
}

void FakeStream::synchronize() {
  const std::lock_guard<std::recursive_mutex> lock(memory_.mutex_);
  memory_.open(true);
  try {
    if (memory_.turn_++ % 2) {
      for (FakeStream* other : memory_.streams_) {
        if (other != this) other->run_ready();
      }
    }
    run_until(nullptr);
  } catch (...) {
    items_.clear();
    memory_.open(false);
    throw;
  }
  memory_.open(false);
}

}  // namespace narae::fake
