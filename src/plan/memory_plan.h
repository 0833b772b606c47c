// SPDX-License-Identifier: Apache-2.0
// Places temporaries and workspaces in one arena so that those whose lifetimes do not overlap share bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace narae {

struct MemoryBlock {
  int64_t bytes = 0;
  int first = 0, last = 0;  // records that touch it, in program order
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  // per block, multiples of `alignment`
  int64_t arena_bytes = 0;
  int64_t lower_bound_bytes = 0;  // most bytes alive at one record
};

// True when every record that touches block a is certainly over before the first that touches block b begins, on
// whatever lanes they run.
using HappensBefore = std::function<bool(int a, int b)>;

// `before` null: records run in order, so a is before b when a.last < b.first.
MemoryPlan plan_memory(const std::vector<MemoryBlock>& blocks, const HappensBefore& before = {},
                       int64_t alignment = 64);

}  // namespace narae
