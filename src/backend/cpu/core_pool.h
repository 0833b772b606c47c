// SPDX-License-Identifier: Apache-2.0
// The threads of one core set. Whoever runs a turn is member 0; helpers take ranges of tasks from an atomic counter.
// Helpers spin shortly, only inside a turn, and never where a quota gives less than the cores.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "backend/cpu/turns.h"

namespace narae::cpu {

// Cores this process may use (affinity), and whether a cgroup quota allows all of them at once.
struct CoreSet {
  std::vector<int> cores;  // ids for pinning
  bool full_quota = true;
};
CoreSet detect_cores();

class CorePool {
 public:
  // `threads` members, the caller included. Pins helpers to set.cores[1..] when `pin`.
  CorePool(const CoreSet& set, int threads, bool pin);
  ~CorePool();
  CorePool(const CorePool&) = delete;
  CorePool& operator=(const CorePool&) = delete;
  int threads() const { return static_cast<int>(helpers_.size()) + 1; }

  void enter_turn();
  void leave_turn();
  // Calls body(context, member, begin, end) until [0, tasks) is done; returns when all is. Inside a turn only.
  using Body = void (*)(const void* context, int member, int64_t begin, int64_t end);
  void run(int64_t tasks, Body body, const void* context);
  template <typename F>
  void parallel(int64_t tasks, const F& f) {
    run(
        tasks,
        [](const void* context, int member, int64_t begin, int64_t end) {
          (*static_cast<const F*>(context))(member, begin, end);
        },
        &f);
  }

 private:
  struct Job {
    Body body = nullptr;
    const void* context = nullptr;
    int64_t tasks = 0, chunk = 1;
  };
  void helper(int member, int core);
  void work(int member);
  bool wait_for_job(uint32_t& seen);

  Turns turns_;
  std::vector<std::thread> helpers_;
  bool spin_ = true;
  Job job_;
  // epoch_ is odd while a job is open. Helpers count themselves in before they look at the job.
  alignas(64) std::atomic<uint32_t> epoch_{0};
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<int> inside_{0};
  alignas(64) std::atomic<bool> in_turn_{false};
  std::atomic<bool> stop_{false};
  std::atomic<int> sleeping_{0};
  std::mutex sleep_mutex_;
  std::condition_variable wake_;
};

}  // namespace narae::cpu
