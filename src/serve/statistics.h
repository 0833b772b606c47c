// SPDX-License-Identifier: Apache-2.0
// Counters of a model, touched by any thread. Durations are sums in nanoseconds; `request` of a success is the whole
// from the first byte parsed to the answer made.
#pragma once

#include <atomic>
#include <cstdint>

namespace narae {

struct DurationSum {
  std::atomic<uint64_t> count{0}, ns{0};
  void add(int64_t nanoseconds) {
    count.fetch_add(1, std::memory_order_relaxed);
    ns.fetch_add(static_cast<uint64_t>(nanoseconds > 0 ? nanoseconds : 0), std::memory_order_relaxed);
  }
};

struct ModelStatistics {
  DurationSum success, failure, queue, input, infer, output;
  std::atomic<uint64_t> inferences{0};  // rows answered
  std::atomic<uint64_t> rejected{0}, cancelled{0}, expired{0}, failed{0}, invalid{0};
  std::atomic<int64_t> last_ms{0};  // Unix time of the last inference
};

}  // namespace narae
