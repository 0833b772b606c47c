// SPDX-License-Identifier: Apache-2.0
// Time of the serving side: whole microseconds of a monotonic clock. Queues and Batchers are told the time and never
// ask for it, so that a virtual clock can drive them.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace narae {

using Time = int64_t;  // microseconds
inline constexpr Time never = std::numeric_limits<Time>::max();

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class SteadyClock final : public Clock {
 public:
  Time now() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace narae
