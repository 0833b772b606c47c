// SPDX-License-Identifier: Apache-2.0
// The CPU's cost model: a roofline over all cores. It need not be right, only put rivals into the right order.
#pragma once

#include <algorithm>
#include <cmath>

#include "graph/target.h"

namespace narae::cpu {

inline constexpr double launch_seconds = 1.5e-6;

// Bytes per second of all cores for a working set of this size.
inline double bandwidth(const Target& target, double bytes) {
  const double cores = target.cores;
  if (bytes < static_cast<double>(target.l2_bytes) * cores * 0.75) return target.l2_bytes_per_s * cores;
  const double dram = target.dram_bytes_per_s;
  if (bytes < static_cast<double>(target.l3_bytes) * 0.5) return std::sqrt(dram * target.l2_bytes_per_s * cores);
  return dram;
}

// `efficiency` is the share of the multiply-add peak that the kernel reaches when nothing else holds it up; `tasks` how
// many pieces the work falls into (too few leave cores idle).
inline double roofline(const Target& target, double flops, double efficiency, double bytes, double tasks = 1e9) {
  const double cores = std::max(1.0, std::min<double>(target.cores, tasks));
  const double whole = std::ceil(tasks / cores) * cores / std::max(tasks, 1.0);  // the last round is not full
  const double compute = flops / (target.fma_flops * cores * efficiency) * (tasks < 1e8 ? whole : 1.0);
  const double memory = bytes / bandwidth(target, bytes);
  // They overlap, but not perfectly.
  return launch_seconds + std::max(compute, memory) + 0.25 * std::min(compute, memory);
}

}  // namespace narae::cpu
