// SPDX-License-Identifier: Apache-2.0
// Data movement: NCHW to and from channel blocks (NCHWc, padding lanes written as zeros), and copies between any two
// strided views (transpose, permute, slice, concat, expand, flip) after collapsing their dims. A copy's views must not
// overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace narae::cpu {

// f32. A task is one channel block of one image. Strides count floats; 0 means dense.
struct BlockShape {
  int64_t n = 1, c = 0, pixels = 0;            // pixels: the product of the spatial dims
  int64_t plain_batch = 0, plain_channel = 0;  // of the NCHW side
  int64_t block_batch = 0, block_plane = 0;    // of the NCHWc side: between images and between channel blocks
};

inline constexpr int max_copy_dims = 10;  // after collapsing

// How the two innermost loops run.
enum class CopyForm : uint8_t {
  rows,       // both sides contiguous: whole rows are copied
  transpose,  // the output's inner dim is another one than the input's
  elements,   // neither
};

struct CopyPlan {
  const char* error = nullptr;  // why there is none
  CopyForm form = CopyForm::rows;
  int64_t element_bytes = 4;
  int outer_rank = 0;
  int64_t outer_dims[max_copy_dims] = {}, outer_in[max_copy_dims] = {}, outer_out[max_copy_dims] = {};
  // columns: the output's inner dim. transpose: rows is the input's contiguous dim.
  int64_t rows = 1, columns = 1, row_in = 0, row_out = 0, column_in = 1, column_out = 1;
  int64_t row_tile = 1, row_tiles = 1, column_tile = 1, column_tiles = 1;
  int64_t tasks = 0;
};

// Strides count elements; an input stride of 0 repeats, a negative one walks backwards (the pointers given to `copy`
// are those of index 0). element_bytes: 1, 2, 4 or 8.
CopyPlan make_copy_plan(const std::vector<int64_t>& dims, const std::vector<int64_t>& in_strides,
                        const std::vector<int64_t>& out_strides, int64_t element_bytes);

struct ReorderKernels {
  int64_t block = 0;
  void (*to_blocked)(const BlockShape&, const float* plain, float* blocked, int64_t begin, int64_t end) = nullptr;
  void (*from_blocked)(const BlockShape&, const float* blocked, float* plain, int64_t begin, int64_t end) = nullptr;
  void (*copy)(const CopyPlan&, const void* in, void* out, int64_t begin, int64_t end) = nullptr;
};

// For an ISA name of known_isas(); null for an unknown one.
const ReorderKernels* reorder_kernels(std::string_view isa);

extern const ReorderKernels reorder_kernels_portable, reorder_kernels_avx2, reorder_kernels_avx512;

}  // namespace narae::cpu
