// SPDX-License-Identifier: Apache-2.0
// Monotonic time.
#pragma once

#include <chrono>
#include <cstdint>

namespace narae {

inline double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); }

}  // namespace narae
