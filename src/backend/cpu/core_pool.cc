// SPDX-License-Identifier: Apache-2.0
// The hand-off protocol. A helper that comes late finds the epoch even (job closed) and must not touch the job: it
// counts itself in (inside_), looks at the epoch again, and only then works. The caller closes the job (epoch even) and
// waits until nobody is inside.
#include "backend/cpu/core_pool.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

#include "base/clock.h"

namespace narae::cpu {
namespace {

constexpr double spin_seconds = 50e-6;

inline void pause() { __builtin_ia32_pause(); }

bool quota_allows(size_t cores) {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (v2 >> quota >> period) return quota == "max" || std::stod(quota) >= period * static_cast<double>(cores) * 0.99;
  std::ifstream q("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), p("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double value = -1;
  if ((q >> value) && (p >> period) && value > 0) return value >= period * static_cast<double>(cores) * 0.99;
  return true;
}

void pin_to(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);  // best effort: unpinned helpers are only slower
}

}  // namespace

CoreSet detect_cores() {
  CoreSet set;
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &mask)) set.cores.push_back(core);
    }
  }
  if (set.cores.empty()) set.cores.push_back(0);
  set.full_quota = quota_allows(set.cores.size());
  return set;
}

CorePool::CorePool(const CoreSet& set, int threads, bool pin) {
  spin_ = set.full_quota && threads <= static_cast<int>(set.cores.size());
  for (int member = 1; member < threads; ++member) {
    const int core = pin && member < static_cast<int>(set.cores.size()) ? set.cores[static_cast<size_t>(member)] : -1;
    helpers_.emplace_back([this, member, core] { helper(member, core); });
  }
}

CorePool::~CorePool() {
  {
    const std::lock_guard<std::mutex> lock(sleep_mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : helpers_) thread.join();
}

void CorePool::enter_turn() {
  turns_.enter();
  in_turn_ = true;
}

void CorePool::leave_turn() {
  in_turn_ = false;
  turns_.leave();
}

// True: a job newer than `seen` is open. Spins inside a turn, sleeps otherwise.
bool CorePool::wait_for_job(uint32_t& seen) {
  for (;;) {
    const double until = now_seconds() + spin_seconds;
    while (spin_ && in_turn_.load(std::memory_order_relaxed) && now_seconds() < until) {
      for (int i = 0; i < 32; ++i) {
        const uint32_t epoch = epoch_.load(std::memory_order_acquire);
        if ((epoch & 1) && epoch != seen) {
          seen = epoch;
          return true;
        }
        pause();
      }
    }
    std::unique_lock<std::mutex> lock(sleep_mutex_);
    ++sleeping_;
    wake_.wait(lock, [&] {
      const uint32_t epoch = epoch_.load();
      return stop_.load() || ((epoch & 1) && epoch != seen);
    });
    --sleeping_;
    if (stop_) return false;
    seen = epoch_.load();
    if (seen & 1) return true;
  }
}

void CorePool::helper(int member, int core) {
  if (core >= 0) pin_to(core);
  uint32_t seen = 0;
  while (wait_for_job(seen)) {
    inside_.fetch_add(1);
    if (epoch_.load() == seen) work(member);
    inside_.fetch_sub(1);
  }
}

void CorePool::work(int member) {
  const Job job = job_;
  for (;;) {
    const int64_t begin = next_.fetch_add(job.chunk, std::memory_order_relaxed);
    if (begin >= job.tasks) return;
    job.body(job.context, member, begin, std::min(begin + job.chunk, job.tasks));
  }
}

void CorePool::run(int64_t tasks, Body body, const void* context) {
  if (tasks <= 0) return;
  if (helpers_.empty() || tasks == 1) {
    body(context, 0, 0, tasks);
    return;
  }
  job_ = {body, context, tasks, std::max<int64_t>(1, tasks / (threads() * 8))};
  next_.store(0);
  epoch_.fetch_add(1);  // odd: open
  if (sleeping_.load() > 0) {
    { const std::lock_guard<std::mutex> lock(sleep_mutex_); }
    wake_.notify_all();
  }
  work(0);
  epoch_.fetch_add(1);  // even: closed
  while (inside_.load() != 0) pause();
}

}  // namespace narae::cpu
