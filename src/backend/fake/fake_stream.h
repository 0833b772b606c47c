// SPDX-License-Identifier: Apache-2.0
// Streams of the checking device: work is only written down, and runs as late as synchronize() allows. The one thing
// not to get wrong: an event stands for its last record() at the time of wait(), not for a later one.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "backend/device.h"

namespace narae::fake {

class FakeStream;

// Memory that the host cannot touch: its pages are open only while the device runs.
class FakeMemory {
 public:
  void* allocate(size_t bytes);  // poisoned
  void release(void* data, size_t bytes);

 private:
  friend class FakeStream;
  void open(bool accessible);
  std::recursive_mutex mutex_;  // one thread at a time runs work
  int running_ = 0;
  std::set<std::pair<void*, size_t>> blocks_;
  std::set<FakeStream*> streams_;
  unsigned turn_ = 0;
};

inline constexpr int poison_byte = 0xFF;  // NaN in every float type, -1 in every integer

class FakeEvent final : public Event {
 private:
  friend class FakeStream;
  struct Ticket {
    bool done = false;
    FakeStream* stream = nullptr;
  };
  std::shared_ptr<Ticket> last_;
};

class FakeStream final : public Stream {
 public:
  explicit FakeStream(FakeMemory& memory);
  ~FakeStream() override;
  void enqueue(std::function<void()> work);
  void copy(void* to, const void* from, size_t bytes) override;
  void record(Event& event) override;
  void wait(const Event& event) override;
  // Runs what was written down; errors of kernels come out here.
  void synchronize() override;
  void discard(void* data, size_t bytes) override;

 private:
  using Ticket = FakeEvent::Ticket;
  struct Item {
    std::function<void()> work;
    std::shared_ptr<Ticket> awaited, recorded;
  };
  void run_until(const Ticket* ticket);  // null: until nothing is left
  void run_ready();                      // what waits for nobody
  void step();
  FakeMemory& memory_;
  std::deque<Item> items_;
};

}  // namespace narae::fake
