// SPDX-License-Identifier: Apache-2.0
// Resizing, written once. Plain rows are first combined into one line, then sampled along it; on channel blocks every
// sample is a vector.
#pragma once

#include "kernels/cpu/resize.h"
#include "kernels/cpu/vec_rows.h"

namespace narae::cpu {
namespace {

constexpr int64_t B = channel_block;

// One output row of one lane group; Taps 0: as many as the tables say.
template <int RowTaps, int ColumnTaps>
void resize_row(const ResizeArgs& a, const float* plane, float* out, int64_t y) {
  const int64_t row_taps = RowTaps ? RowTaps : a.rows.taps, column_taps = ColumnTaps ? ColumnTaps : a.columns.taps;
  const int64_t* rows = a.rows.places + y * row_taps;
  const float* row_weights = a.rows.weights ? a.rows.weights + y * row_taps : nullptr;
  const int64_t stride = a.columns.in * B;
  for (int64_t x = 0; x < a.columns.out; x++) {
    const int64_t* columns = a.columns.places + x * column_taps;
    const float* column_weights = a.columns.weights ? a.columns.weights + x * column_taps : nullptr;
    if (RowTaps == 1 && ColumnTaps == 1) {
      Vf v = load(plane + rows[0] * stride + columns[0] * B);
      if (row_weights) v = v * splat(row_weights[0]);
      if (column_weights) v = v * splat(column_weights[0]);
      store(out + x * B, v);
      continue;
    }
    Vf sum = zero();
    for (int64_t r = 0; r < row_taps; r++) {
      const float* line = plane + rows[r] * stride;
      Vf part = zero();
      for (int64_t c = 0; c < column_taps; c++)
        part = fma(load(line + columns[c] * B), splat(column_weights ? column_weights[c] : 1.0f), part);
      sum = fma(part, splat(row_weights ? row_weights[r] : 1.0f), sum);
    }
    store(out + x * B, sum);
  }
}

void run_resize_blocked(const ResizeArgs& a, int64_t begin, int64_t end) {
  const int64_t blocks = (a.c + B - 1) / B;
  const int64_t in_block = a.in_block ? a.in_block : a.rows.in * a.columns.in * B;
  const int64_t in_batch = a.in_batch ? a.in_batch : blocks * in_block;
  const int64_t out_block = a.out_block ? a.out_block : a.rows.out * a.columns.out * B;
  const int64_t out_batch = a.out_batch ? a.out_batch : blocks * out_block;
  for (int64_t task = begin; task < end; task++) {
    const int64_t y = task % a.rows.out, block = task / a.rows.out % blocks, image = task / a.rows.out / blocks;
    for (int64_t lane = 0; lane < B; lane += W) {
      const float* plane = a.x + image * in_batch + block * in_block + lane;
      float* out = a.y + image * out_batch + block * out_block + y * a.columns.out * B + lane;
      if (a.rows.taps == 1 && a.columns.taps == 1)
        resize_row<1, 1>(a, plane, out, y);
      else if (a.rows.taps == 2 && a.columns.taps == 2)
        resize_row<2, 2>(a, plane, out, y);
      else
        resize_row<0, 0>(a, plane, out, y);
    }
  }
}

// The weighted sum of the input rows that output row y needs, or the row itself where there is only one.
const float* combine_rows(const ResizeArgs& a, const float* plane, int64_t y, float* scratch) {
  const int64_t taps = a.rows.taps, width = a.columns.in;
  const int64_t* rows = a.rows.places + y * taps;
  const float* weights = a.rows.weights ? a.rows.weights + y * taps : nullptr;
  if (taps == 1 && (!weights || weights[0] == 1.0f)) return plane + rows[0] * width;
  auto sum_at = [&](int64_t i, auto load_at) {
    Vf sum = zero();
    for (int64_t r = 0; r < taps; r++)
      sum = fma(load_at(plane + rows[r] * width + i), splat(weights ? weights[r] : 1.0f), sum);
    return sum;
  };
  for_vectors<1>(
      width, [&](int64_t i) { store(scratch + i, sum_at(i, [](const float* p) { return load(p); })); },
      [&](int64_t i, int64_t n) { store(scratch + i, sum_at(i, [&](const float* p) { return load(p, n); }), n); });
  return scratch;
}

void run_resize_plain(const ResizeArgs& a, float* scratch, int64_t begin, int64_t end) {
  const int64_t in_block = a.in_block ? a.in_block : a.rows.in * a.columns.in,
                in_batch = a.in_batch ? a.in_batch : a.c * in_block;
  const int64_t out_block = a.out_block ? a.out_block : a.rows.out * a.columns.out;
  const int64_t out_batch = a.out_batch ? a.out_batch : a.c * out_block;
  const ResizeAxis& columns = a.columns;
  for (int64_t task = begin; task < end; task++) {
    const int64_t y = task % a.rows.out, channel = task / a.rows.out % a.c, image = task / a.rows.out / a.c;
    const float* line = combine_rows(a, a.x + image * in_batch + channel * in_block, y, scratch);
    float* out = a.y + image * out_batch + channel * out_block + y * columns.out;
    if (columns.taps == 1 && !columns.weights) {
      for (int64_t x = 0; x < columns.out; x++) out[x] = line[columns.places[x]];
    } else if (columns.taps == 2 && columns.weights) {
      for (int64_t x = 0; x < columns.out; x++)
        out[x] = line[columns.places[2 * x]] * columns.weights[2 * x] +
                 line[columns.places[2 * x + 1]] * columns.weights[2 * x + 1];
    } else {
      for (int64_t x = 0; x < columns.out; x++) {
        float sum = 0.0f;
        for (int64_t k = x * columns.taps; k < (x + 1) * columns.taps; k++)
          sum += line[columns.places[k]] * (columns.weights ? columns.weights[k] : 1.0f);
        out[x] = sum;
      }
    }
  }
}

constexpr ResizeKernels resize_here() { return {B, run_resize_blocked, run_resize_plain}; }

}  // namespace
}  // namespace narae::cpu
