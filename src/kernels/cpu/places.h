// SPDX-License-Identifier: Apache-2.0
// Elements and slices read from and written to places that are data, and places written as one-hot rows. Plain memory
// moves, the same on every instruction set; an index outside its axis is reported, never followed.
#pragma once

#include <cstdint>

namespace narae::cpu {

inline constexpr int max_places_rank = 8;

// out[i] = in[i with coordinate `axis` replaced by index[i]]; index and out have the dims `dims`. A task is a row of
// the last axis. Negative indices count from the end.
struct GatherElementsArgs {
  const void* in = nullptr;
  void* out = nullptr;
  const void* index = nullptr;
  bool wide_index = true;  // int64 instead of int32
  int element_bytes = 4;   // 1, 2, 4 or 8
  int rank = 1, axis = 0;
  int64_t dims[max_places_rank] = {}, in_strides[max_places_rank] = {};
  int64_t extent = 0;  // of the operand's axis
};
int64_t gather_elements_tasks(const GatherElementsArgs& args);
// False where an index is outside [-extent, extent).
bool gather_elements_run(const GatherElementsArgs& args, int64_t begin, int64_t end);
// The other way round: out, of the strides and extent given, gets in, of dims `dims`. Of several elements for one place
// the last stays, so tasks are to be run in order.
bool scatter_elements_run(const GatherElementsArgs& args, int64_t begin, int64_t end);

// Row r of index holds `depth` coordinates of a slice: out[r] = in[r / rows_per_batch][coordinates]. A task is a row.
struct GatherNdArgs {
  const void* in = nullptr;
  void* out = nullptr;
  const void* index = nullptr;
  bool wide_index = true;
  int depth = 0;
  int64_t extents[max_places_rank] = {}, strides[max_places_rank] = {};  // strides in bytes
  int64_t rows = 0, rows_per_batch = 1, batch_bytes = 0, slice_bytes = 0;
};
bool gather_nd_run(const GatherNdArgs& args, int64_t begin, int64_t end);
// out[coordinates] = in[r]: without batches, tasks in order.
bool scatter_nd_run(const GatherNdArgs& args, int64_t begin, int64_t end);

// out [outer, depth, inner] = values[1] where index [outer, inner] names the place along depth, else values[0]; an
// index outside [-depth, depth) names none. A task is one of outer * depth rows.
struct OneHotArgs {
  const void* index = nullptr;
  const void* values = nullptr;
  void* out = nullptr;
  bool wide_index = true;
  int element_bytes = 4;
  int64_t outer = 1, depth = 1, inner = 1;
};
void one_hot_run(const OneHotArgs& args, int64_t begin, int64_t end);

}  // namespace narae::cpu
