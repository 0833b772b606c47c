// SPDX-License-Identifier: Apache-2.0
#include "serve/statistics.h"

#include <algorithm>
#include <chrono>
#include <string_view>

namespace narae {

void Histogram::add(double ms) {
  const auto bucket = static_cast<size_t>(std::lower_bound(bounds.begin(), bounds.end(), ms) - bounds.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(static_cast<uint64_t>(std::max(ms, 0.0) * 1e3), std::memory_order_relaxed);
}

uint64_t Histogram::up_to(size_t bucket) const {
  uint64_t sum = 0;
  for (size_t i = 0; i <= bucket; ++i) sum += counts_[i].load(std::memory_order_relaxed);
  return sum;
}

RequestTimes times_of(const Trace& trace) {
  RequestTimes times;
  for (size_t i = 0; i < trace.size(); ++i) {
    const std::string_view event = trace[i].event;
    if (event == "queued") times.queued = trace[i].at;
    if (event == "scheduled" && !times.scheduled) times.scheduled = trace[i].at;
    if (event == "first token") times.first_token = trace[i].at;
    if (event == "ended") times.ended = trace[i].at;
  }
  return times;
}

void count_request(ModelStatistics& sums, const Request& request, uint64_t inferences, int64_t parse_ns,
                   int64_t output_ns) {
  const RequestTimes times = times_of(*request.trace);
  const int64_t total_ns = (times.ended - times.queued) * 1000 + parse_ns + output_ns;
  const Finish finish = request.out->ending().finish;
  if (finish == Finish::cancelled || finish == Finish::expired || finish == Finish::failed) {
    sums.failure.add(total_ns);
    (finish == Finish::cancelled ? sums.cancelled
     : finish == Finish::expired ? sums.expired
                                 : sums.failed)
        .fetch_add(1, std::memory_order_relaxed);
    return;
  }
  sums.success.add(total_ns);
  sums.queue.add((times.scheduled - times.queued) * 1000);
  sums.input.add(parse_ns);
  sums.infer.add((times.ended - times.scheduled) * 1000);
  sums.output.add(output_ns);
  sums.inferences.fetch_add(inferences, std::memory_order_relaxed);
  sums.last_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
}

}  // namespace narae
