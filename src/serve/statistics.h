// SPDX-License-Identifier: Apache-2.0
// Counters of a model, touched by any thread. Durations are sums in nanoseconds; `request` of a success is the whole
// from the first byte parsed to the answer made.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "batch/request.h"

namespace narae {

struct DurationSum {
  std::atomic<uint64_t> count{0}, ns{0};
  void add(int64_t nanoseconds) {
    count.fetch_add(1, std::memory_order_relaxed);
    ns.fetch_add(static_cast<uint64_t>(nanoseconds > 0 ? nanoseconds : 0), std::memory_order_relaxed);
  }
};

// Of milliseconds, as Prometheus counts them: bucket i holds what is at most bounds[i], the last one everything.
class Histogram {
 public:
  static constexpr std::array<double, 13> bounds{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000};
  void add(double ms);
  uint64_t up_to(size_t bucket) const;  // bounds.size(): all
  double sum_ms() const { return static_cast<double>(sum_us_.load(std::memory_order_relaxed)) * 1e-3; }

 private:
  std::array<std::atomic<uint64_t>, bounds.size() + 1> counts_{};
  std::atomic<uint64_t> sum_us_{0};
};

struct ModelStatistics {
  DurationSum success, failure, queue, input, infer, output;
  std::atomic<uint64_t> inferences{0};  // rows answered
  std::atomic<uint64_t> rejected{0}, cancelled{0}, expired{0}, failed{0}, invalid{0};
  std::atomic<int64_t> last_ms{0};  // Unix time of the last inference
};

// When what happened to a request; 0: it did not.
struct RequestTimes {
  Time queued = 0, scheduled = 0, first_token = 0, ended = 0;
};
RequestTimes times_of(const Trace& trace);

// Counts an ended request that holds `inferences`; reading it took `parse_ns`, writing the answer `output_ns`.
void count_request(ModelStatistics& sums, const Request& request, uint64_t inferences, int64_t parse_ns,
                   int64_t output_ns);

}  // namespace narae
