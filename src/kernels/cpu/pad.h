// SPDX-License-Identifier: Apache-2.0
// Padding of any rank and the gathering of slices: plain memory moves, the same on every instruction set. A task is one
// output row (pad) or one gathered slice (gather).
#pragma once

#include <cstdint>
#include <vector>

namespace narae::cpu {

enum class PadMode : uint8_t { constant, edge, reflect, wrap };

inline constexpr int max_pad_dims = 8;  // after merging dims without padding

struct PadPlan {
  const char* error = nullptr;  // why there is none
  PadMode mode = PadMode::constant;
  int64_t element_bytes = 4;
  int rank = 0;  // the last dim is the row
  int64_t in[max_pad_dims] = {}, out[max_pad_dims] = {}, before[max_pad_dims] = {}, in_stride[max_pad_dims] = {};
  int64_t inner = 1;  // elements that move together behind the row's dim
  int64_t tasks = 0;
};

// before and after may be negative (cropping). reflect needs in > pad, in every padded dim. element_bytes: 1, 2, 4, 8.
PadPlan make_pad_plan(const std::vector<int64_t>& in_dims, const std::vector<int64_t>& before,
                      const std::vector<int64_t>& after, PadMode mode, int64_t element_bytes);
// value: one element, read for PadMode::constant only.
void pad_run(const PadPlan& plan, const void* in, void* out, const void* value, int64_t task_begin, int64_t task_end);

// out[o][i][:] = in[o][index[i]][:], slices of slice_bytes. Negative indices count from the end.
struct GatherArgs {
  const void* in = nullptr;
  void* out = nullptr;
  const void* index = nullptr;
  bool wide_index = true;  // int64 instead of int32
  int64_t outer = 1, extent = 0, count = 0, slice_bytes = 0;
};
inline int64_t gather_tasks(const GatherArgs& a) { return a.outer * a.count; }
// False, and nothing written for it, where an index is outside [-extent, extent).
bool gather_run(const GatherArgs& args, int64_t task_begin, int64_t task_end);

}  // namespace narae::cpu
