// SPDX-License-Identifier: Apache-2.0
// Loop order: a block of rows that fits into L2, panels, tiles of rows; K is innermost and whole for the integer
// kernels, in steps that keep the decoded panel in L1 for f32.
#include "kernels/cpu/block_gemm.h"

#include <algorithm>

#include "kernels/cpu/pack.h"

namespace narae::cpu {
namespace {

constexpr int64_t decoded_groups = 8;  // of a panel that are f32 at a time

// Height of the next tile: as high as there are rows, a multiple of four above four.
int tile_rows(int64_t left, int most) {
  if (left >= most) return most;
  return static_cast<int>(left >= 4 ? left / 4 * 4 : left);
}

struct Part {
  int64_t row, rows, column, columns;
};

void run_int8(const BlockGemmKernels& kernels, const BlockGemmShape& shape, const uint8_t* a, const uint8_t* packed,
              float* c, const Part& part) {
  const int64_t groups = shape.k / block_group;
  const int64_t step_bytes = quantised_bytes(shape.form, quantised_rows_step, shape.k);
  const int64_t panel_bytes = block_sections(shape.form, groups).bytes;
  const int64_t last_panel = (shape.n - 1) / block_panel_columns;
  BlockTile tile;
  tile.groups = groups, tile.row_step_bytes = step_bytes, tile.ldc = shape.n;
  for (int64_t column = part.column; column < part.column + part.columns; column += block_panel_columns) {
    const int64_t panel = column / block_panel_columns;
    tile.panel = packed + panel * panel_bytes;
    tile.next = packed + std::min(panel + 1, last_panel) * panel_bytes;
    tile.columns = std::min(block_panel_columns, part.column + part.columns - column);
    for (int64_t done = 0; done < part.rows;) {
      const int rows = tile_rows(part.rows - done, kernels.max_rows);
      tile.rows = a + (part.row + done) / quantised_rows_step * step_bytes;
      tile.c = c + (part.row + done) * shape.n + column;
      kernels.tile(shape.form, rows, tile);
      tile.next = tile.panel;
      done += rows;
    }
  }
}

void run_f32(const BlockGemmKernels& kernels, const BlockGemmShape& shape, const float* a, const uint8_t* packed,
             float* c, float* scratch, const Part& part) {
  const int64_t groups = shape.k / block_group;
  const int64_t panel_bytes = block_sections(shape.form, groups).bytes;
  BlockTileF32 tile;
  tile.lda = shape.k, tile.weights = scratch, tile.ldc = shape.n;
  const int64_t end = part.column + part.columns;
  for (int64_t column = part.column; column < end; column += kernels.lanes) {
    const uint8_t* panel = packed + column / block_panel_columns * panel_bytes;
    const auto half = static_cast<int>(column % block_panel_columns / kernels.lanes);
    tile.columns = std::min<int64_t>(kernels.lanes, end - column);
    for (int64_t group = 0; group < groups; group += decoded_groups) {
      const int64_t last = std::min(groups, group + decoded_groups);
      kernels.decode(shape.form, panel, groups, half, group, last, scratch);
      tile.values = (last - group) * block_group, tile.accumulate = group > 0;
      for (int64_t done = 0; done < part.rows;) {
        const int rows = tile_rows(part.rows - done, kernels.max_rows_f32);
        tile.a = a + (part.row + done) * shape.k + group * block_group;
        tile.c = c + (part.row + done) * shape.n + column;
        kernels.tile_f32(rows, tile);
        done += rows;
      }
    }
  }
}

}  // namespace

const BlockGemmKernels* block_gemm_kernels(std::string_view isa) {
  if (isa == "avx2") return &block_gemm_avx2;
  if (isa == "avx512") return &block_gemm_avx512;
  if (isa == "avx512_vnni") return &block_gemm_avx512_vnni;
  return nullptr;
}

BlockGemmPlan block_gemm_plan(const BlockGemmShape& shape, const CacheSizes& caches, int threads) {
  constexpr int64_t unit = 24;  // a multiple of every tile's height
  BlockGemmPlan plan;
  const int64_t row_bytes = shape.int8 ? quantised_bytes(shape.form, 4, shape.k) / 4 : shape.k * 4;
  const int64_t fit = std::max(unit, caches.l2 / 2 / row_bytes / unit * unit);
  plan.rows = shape.m <= fit ? shape.m : round_up(ceil_div(shape.m, ceil_div(shape.m, fit)), unit);
  const int64_t panels = ceil_div(shape.n, block_panel_columns), row_blocks = ceil_div(shape.m, plan.rows);
  plan.panels = std::clamp<int64_t>(panels * row_blocks / (8 * threads), 1, 16);
  return plan;
}

int64_t block_gemm_tasks(const BlockGemmShape& shape, const BlockGemmPlan& plan) {
  return ceil_div(shape.m, plan.rows) * ceil_div(shape.n, block_gemm_columns(plan));
}

int64_t block_gemm_scratch(const BlockGemmShape& shape) {
  return shape.int8 ? 0 : decoded_groups * block_group * block_panel_columns;
}

void block_gemm_run(const BlockGemmKernels& kernels, const BlockGemmShape& shape, const BlockGemmPlan& plan,
                    const void* a, const uint8_t* packed, float* c, const GemmEpilogue& epilogue, float* scratch,
                    int64_t begin, int64_t end) {
  const int64_t width = block_gemm_columns(plan), strips = ceil_div(shape.n, width);
  for (int64_t task = begin; task < end; ++task) {
    Part part{};
    part.row = task / strips * plan.rows, part.rows = std::min(plan.rows, shape.m - part.row);
    part.column = task % strips * width, part.columns = std::min(width, shape.n - part.column);
    if (shape.int8) {
      run_int8(kernels, shape, static_cast<const uint8_t*>(a), packed, c, part);
    } else {
      run_f32(kernels, shape, static_cast<const float*>(a), packed, c, scratch, part);
    }
    float* hot = c + part.row * shape.n + part.column;
    kernels.finish(epilogue, hot, shape.n, part.row, part.rows, part.column, part.columns);
    if (!epilogue.after.run) continue;
    HotTile tile;
    tile.data = hot, tile.row_stride = shape.n, tile.rows = part.rows, tile.columns = part.columns;
    tile.row = part.row, tile.column = part.column;
    epilogue.after.run(epilogue.after.context, tile);
  }
}

}  // namespace narae::cpu
