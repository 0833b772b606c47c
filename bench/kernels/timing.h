// SPDX-License-Identifier: Apache-2.0
// Best-of-several timing on one pinned core. The peak is measured between the rows, so that a share is of the clock the
// row itself ran at.
#pragma once

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "kernels/cpu/brgemm.h"

namespace narae::bench {

// Processor time of this thread: a core lent to others for a while costs nothing.
inline double now() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

inline void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  sched_setaffinity(0, sizeof set, &set);
}

// Seconds of one call: the least over `rounds` blocks of about `block` seconds.
inline double best_time(const std::function<void()>& call, int rounds = 7, double block = 0.01) {
  call();
  double start = now();
  call();
  const double once = std::max(now() - start, 1e-9);
  const int repeats = std::max(1, static_cast<int>(block / once));
  double best = 1e9;
  for (int r = 0; r < rounds; ++r) {
    start = now();
    for (int i = 0; i < repeats; ++i) call();
    best = std::min(best, (now() - start) / repeats);
  }
  return best;
}

// Operations per second of multiply-adds on registers.
inline double peak_rate(const cpu::BrgemmTiles& tiles) {
  const int64_t rounds = 20000;
  double done = 0;
  const double seconds = best_time([&] { done = tiles.multiply_add_peak(rounds); }, 5, 0.003);
  return done / seconds;
}

inline std::vector<float> random_floats(int64_t size, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.f, 0.5f);
  std::vector<float> v(size);
  for (float& x : v) x = normal(engine);
  return v;
}

}  // namespace narae::bench
