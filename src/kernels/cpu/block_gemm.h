// SPDX-License-Identifier: Apache-2.0
// Products of f32 rows [m, k] with weights in packed blocks (block_form.h): C [m, n], row-major. Either the rows are
// brought to 8 bits first, in groups of 32 with a scale each, and the integer sums are exact; or the weights become f32
// a panel at a time. A row's result is the same bits whatever rows stand beside it. Serial: a pool hands out ranges.
// Few channels of a language model's rows are far larger than the rest and would coarsen their whole group, so a row's
// largest values stay f32 and meet their columns of the weights by themselves (Dettmers et al., LLM.int8(), 2022).
#pragma once

#include <string_view>

#include "kernels/cpu/block_form.h"
#include "kernels/cpu/gemm.h"

namespace narae::cpu {

// Rows in 8 bits, four by four: for every group of K 4 x 32 signed bytes, 4 scales, and for every `zero` or min of the
// weights 4 numbers: -zero * sum of the bytes (i32), or scale * that sum (f32). Behind the last group, for each of the
// four rows: its outliers, whose bytes are zeros.
inline constexpr int64_t quantised_rows_step = 4;
struct Outlier {
  float value;
  int32_t place;  // in K
};
// Of a row: more of them cost more than they mend.
constexpr int64_t outliers_of(int64_t groups) { return groups < 16 ? 1 : groups < 32 ? groups / 8 : 4; }
constexpr int64_t quantised_group_bytes(const BlockForm& form) {
  return form.scale == BlockScale::signed_halves ? 176 : 160;
}
constexpr int64_t quantised_bytes(const BlockForm& form, int64_t m, int64_t k) {
  const int64_t groups = k / block_group, own = outliers_of(groups) * static_cast<int64_t>(sizeof(Outlier));
  return (m + quantised_rows_step - 1) / quantised_rows_step *
         (groups * quantised_group_bytes(form) + quantised_rows_step * own);
}

// One panel by some rows.
struct BlockTile {
  const uint8_t* panel = nullptr;
  const uint8_t* next = nullptr;  // a panel to bring into cache meanwhile; may be `panel` itself
  int64_t groups = 0;             // of K
  const uint8_t* rows = nullptr;  // quantised; the first row is a whole multiple of quantised_rows_step
  int64_t row_step_bytes = 0;     // from four rows to the next four
  float* c = nullptr;
  int64_t ldc = 0;
  int64_t columns = 0;  // of the panel that are there
};
// Groups of a panel as f32 [values][columns of the vector], by rows of f32.
struct BlockTileF32 {
  const float* a = nullptr;
  int64_t lda = 0;
  const float* weights = nullptr;
  int64_t values = 0;
  float* c = nullptr;
  int64_t ldc = 0;
  int64_t columns = 0;      // at most `lanes`; none: 0
  bool accumulate = false;  // onto what c holds
};

struct BlockGemmKernels {
  int lanes = 0;
  int max_rows = 0, max_rows_f32 = 0;  // of a tile; each height from 1 to 4 and every multiple of 4 is there
  void (*quantise)(const BlockForm& form, const float* a, int64_t lda, int64_t m, int64_t k, uint8_t* out) = nullptr;
  void (*tile)(const BlockForm& form, int rows, const BlockTile& tile) = nullptr;
  // Columns `lanes` * part of a panel, groups [begin, end), to f32.
  void (*decode)(const BlockForm& form, const uint8_t* panel, int64_t groups, int part, int64_t begin, int64_t end,
                 float* out) = nullptr;
  void (*tile_f32)(int rows, const BlockTileF32& tile) = nullptr;
  void (*finish)(const GemmEpilogue& epilogue, float* c, int64_t ldc, int64_t row, int64_t rows, int64_t column,
                 int64_t columns) = nullptr;
};
extern const BlockGemmKernels block_gemm_avx2, block_gemm_avx512, block_gemm_avx512_vnni;
// Null where there are none for the instruction set.
const BlockGemmKernels* block_gemm_kernels(std::string_view isa);

struct BlockGemmShape {
  int64_t m = 0, n = 0, k = 0;
  BlockForm form;
  bool int8 = true;
};
// A task is a strip of panels by a block of rows.
struct BlockGemmPlan {
  int64_t panels = 1, rows = 1;
};
BlockGemmPlan block_gemm_plan(const BlockGemmShape& shape, const CacheSizes& caches, int threads);
int64_t block_gemm_tasks(const BlockGemmShape& shape, const BlockGemmPlan& plan);
// Columns of a tile that the epilogue sees at most.
inline int64_t block_gemm_columns(const BlockGemmPlan& plan) { return plan.panels * block_panel_columns; }
// Floats of scratch that one thread needs.
int64_t block_gemm_scratch(const BlockGemmShape& shape);

// C = A * W with epilogue for tasks [begin, end). `a`: rows of f32 (row stride k), or what quantise() made of them.
void block_gemm_run(const BlockGemmKernels& kernels, const BlockGemmShape& shape, const BlockGemmPlan& plan,
                    const void* a, const uint8_t* packed, float* c, const GemmEpilogue& epilogue, float* scratch,
                    int64_t begin, int64_t end);

}  // namespace narae::cpu
