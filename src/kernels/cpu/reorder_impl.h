// SPDX-License-Identifier: Apache-2.0
// Reorders, written once, around a square transpose in registers; tails load and store fewer lanes.
#pragma once

#include <cstring>

#include "kernels/cpu/reorder.h"
#include "kernels/cpu/vec_rows.h"
#include "kernels/cpu/vec_unroll.h"

namespace narae::cpu {
namespace {

constexpr int64_t B = channel_block;

// out[j * out_stride + i] = in[i * in_stride + j] for i < rows, j < columns, both at most W. Lanes i >= rows are
// written as zeros as far as out_lanes.
NARAE_INLINE void transpose_tile(const float* in, int64_t in_stride, int64_t rows, int64_t columns, float* out,
                                 int64_t out_stride, int64_t out_lanes) {
  Vf r[W];
  if (rows == W && columns == W && out_lanes == W) {
    unroll<vec_width>([&](auto i) NARAE_UNROLLED { r[i] = load(in + i * in_stride); });
    transpose_square(r);
    unroll<vec_width>([&](auto j) NARAE_UNROLLED { store(out + j * out_stride, r[j]); });
    return;
  }
  unroll<vec_width>([&](auto i) NARAE_UNROLLED { r[i] = i < rows ? load(in + i * in_stride, columns) : zero(); });
  transpose_square(r);
  unroll<vec_width>([&](auto j) NARAE_UNROLLED {
    if (j < columns) store(out + j * out_stride, r[j], out_lanes);
  });
}

struct BlockStrides {
  int64_t blocks, plain_batch, plain_channel, block_batch, block_plane;
};
NARAE_INLINE BlockStrides block_strides(const BlockShape& s) {
  BlockStrides r;
  r.blocks = (s.c + B - 1) / B;
  r.plain_channel = s.plain_channel ? s.plain_channel : s.pixels;
  r.plain_batch = s.plain_batch ? s.plain_batch : s.c * r.plain_channel;
  r.block_plane = s.block_plane ? s.block_plane : s.pixels * B;
  r.block_batch = s.block_batch ? s.block_batch : r.blocks * r.block_plane;
  return r;
}
NARAE_INLINE int64_t clamp_lanes(int64_t left) { return left < 0 ? 0 : left < W ? left : W; }

void run_to_blocked(const BlockShape& s, const float* plain, float* blocked, int64_t begin, int64_t end) {
  const BlockStrides strides = block_strides(s);
  for (int64_t task = begin; task < end; task++) {
    const int64_t image = task / strides.blocks, block = task % strides.blocks;
    const float* in = plain + image * strides.plain_batch + block * B * strides.plain_channel;
    float* out = blocked + image * strides.block_batch + block * strides.block_plane;
    for (int64_t p = 0; p < s.pixels; p += W)
      for (int64_t lane = 0; lane < B; lane += W)
        transpose_tile(in + lane * strides.plain_channel + p, strides.plain_channel,
                       clamp_lanes(s.c - block * B - lane), clamp_lanes(s.pixels - p), out + p * B + lane, B, W);
  }
}

void run_from_blocked(const BlockShape& s, const float* blocked, float* plain, int64_t begin, int64_t end) {
  const BlockStrides strides = block_strides(s);
  for (int64_t task = begin; task < end; task++) {
    const int64_t image = task / strides.blocks, block = task % strides.blocks;
    float* out = plain + image * strides.plain_batch + block * B * strides.plain_channel;
    const float* in = blocked + image * strides.block_batch + block * strides.block_plane;
    for (int64_t p = 0; p < s.pixels; p += W) {
      const int64_t pixels = clamp_lanes(s.pixels - p);
      for (int64_t lane = 0; lane < B; lane += W)
        transpose_tile(in + p * B + lane, B, pixels, clamp_lanes(s.c - block * B - lane),
                       out + lane * strides.plain_channel + p, strides.plain_channel, pixels);
    }
  }
}

template <typename T>
void copy_elements(const CopyPlan& plan, const T* in, T* out, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++, in += plan.row_in, out += plan.row_out) {
    if (plan.column_in == 0 && plan.column_out == 1) {
      const T v = *in;
      for (int64_t c = 0; c < columns; c++) out[c] = v;
    } else if (plan.column_out == 1) {
      for (int64_t c = 0; c < columns; c++) out[c] = in[c * plan.column_in];
    } else {
      for (int64_t c = 0; c < columns; c++) out[c * plan.column_out] = in[c * plan.column_in];
    }
  }
}

// row_in == 1 and column_out == 1: tiles of both, so that a line fetched on either side is used whole.
template <typename T>
void copy_transposed(const CopyPlan& plan, const T* in, T* out, int64_t rows, int64_t columns) {
  constexpr int64_t tile = 16;
  for (int64_t r0 = 0; r0 < rows; r0 += tile) {
    const int64_t r1 = r0 + tile < rows ? r0 + tile : rows;
    for (int64_t c0 = 0; c0 < columns; c0 += tile) {
      const int64_t c1 = c0 + tile < columns ? c0 + tile : columns;
      for (int64_t r = r0; r < r1; r++)
        for (int64_t c = c0; c < c1; c++) out[r * plan.row_out + c] = in[r + c * plan.column_in];
    }
  }
}
void copy_transposed_floats(const CopyPlan& plan, const float* in, float* out, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r += W)
    for (int64_t c = 0; c < columns; c += W) {
      const int64_t lanes = clamp_lanes(columns - c);
      transpose_tile(in + r + c * plan.column_in, plan.column_in, lanes, clamp_lanes(rows - r),
                     out + r * plan.row_out + c, plan.row_out, lanes);
    }
}

template <typename T>
void copy_tile(const CopyPlan& plan, const uint8_t* in, uint8_t* out, int64_t rows, int64_t columns) {
  const T* from = reinterpret_cast<const T*>(in);
  T* to = reinterpret_cast<T*>(out);
  if (plan.form == CopyForm::elements) return copy_elements(plan, from, to, rows, columns);
  if (plan.form == CopyForm::transpose) return copy_transposed(plan, from, to, rows, columns);
  for (int64_t r = 0; r < rows; r++)
    std::memcpy(to + r * plan.row_out, from + r * plan.row_in, static_cast<size_t>(columns) * sizeof(T));
}

void run_copy(const CopyPlan& plan, const void* in, void* out, int64_t begin, int64_t end) {
  for (int64_t task = begin; task < end; task++) {
    int64_t rest = task;
    const int64_t column = rest % plan.column_tiles * plan.column_tile;
    rest /= plan.column_tiles;
    const int64_t row = rest % plan.row_tiles * plan.row_tile;
    rest /= plan.row_tiles;
    int64_t from = row * plan.row_in + column * plan.column_in, to = row * plan.row_out + column * plan.column_out;
    for (int d = plan.outer_rank; d-- > 0; rest /= plan.outer_dims[d]) {
      from += rest % plan.outer_dims[d] * plan.outer_in[d];
      to += rest % plan.outer_dims[d] * plan.outer_out[d];
    }
    const int64_t rows = plan.rows - row < plan.row_tile ? plan.rows - row : plan.row_tile;
    const int64_t columns = plan.columns - column < plan.column_tile ? plan.columns - column : plan.column_tile;
    const uint8_t* source = static_cast<const uint8_t*>(in) + from * plan.element_bytes;
    uint8_t* target = static_cast<uint8_t*>(out) + to * plan.element_bytes;
    if (plan.element_bytes == 4 && plan.form == CopyForm::transpose)
      copy_transposed_floats(plan, reinterpret_cast<const float*>(source), reinterpret_cast<float*>(target), rows,
                             columns);
    else if (plan.element_bytes == 4)
      copy_tile<uint32_t>(plan, source, target, rows, columns);
    else if (plan.element_bytes == 8)
      copy_tile<uint64_t>(plan, source, target, rows, columns);
    else if (plan.element_bytes == 2)
      copy_tile<uint16_t>(plan, source, target, rows, columns);
    else
      copy_tile<uint8_t>(plan, source, target, rows, columns);
  }
}

constexpr ReorderKernels reorder_here() { return {B, run_to_blocked, run_from_blocked, run_copy}; }

}  // namespace
}  // namespace narae::cpu
