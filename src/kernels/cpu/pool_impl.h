// SPDX-License-Identifier: Apache-2.0
// Pooling, written once. On channel blocks neighbouring outputs share their input vectors in registers; on plain NCHW a
// row is first pooled over the kernel's rows into scratch, then over its columns.
#pragma once

#include "kernels/cpu/pool.h"
#include "kernels/cpu/vec_rows.h"
#include "kernels/cpu/vec_unroll.h"

namespace narae::cpu {
namespace {

constexpr int64_t B = channel_block;

struct PoolMax {
  static constexpr float empty = -__builtin_inff();
  NARAE_INLINE static Vf join(Vf a, Vf b) { return max_b(a, b); }
  NARAE_INLINE static float join_one(float a, float b) { return b > a ? b : a; }
  NARAE_INLINE static Vf finish(Vf v, float) { return v; }
};
struct PoolAverage {
  static constexpr float empty = 0.0f;
  NARAE_INLINE static Vf join(Vf a, Vf b) { return a + b; }
  NARAE_INLINE static float join_one(float a, float b) { return a + b; }
  NARAE_INLINE static Vf finish(Vf v, float count) { return v / splat(count); }
};

// Window positions of one output along one axis: [first, last) of the kernel inside the image, and what an average
// counts.
struct Window {
  int64_t first, last, count;
};
NARAE_INLINE Window window_at(int64_t o, int64_t k, int64_t stride, int64_t dilation, int64_t pad, int64_t in,
                              int64_t pad_after, bool count_pad) {
  const int64_t start = o * stride - pad;
  Window w = {0, k, 0};
  while (w.first < k && start + w.first * dilation < 0) w.first++;
  while (w.last > w.first && start + (w.last - 1) * dilation >= in) w.last--;
  w.count = w.last - w.first;
  if (count_pad) {
    w.count = k;
    while (w.count > 1 && start + (w.count - 1) * dilation >= in + pad_after) w.count--;
  }
  if (w.count < 1) w.count = 1;
  return w;
}

// T outputs whose windows lie inside the row.
template <typename Op, int KW, int S, int T>
NARAE_INLINE void pool_tile(const float* row, int64_t row_stride, int64_t rows, float count, float* out) {
  constexpr int columns = (T - 1) * S + KW;
  Vf v[T];
  unroll<T>([&](auto i) NARAE_UNROLLED { v[i] = splat(Op::empty); });
  for (int64_t r = 0; r < rows; r++, row += row_stride) {
    unroll<columns>([&](auto j) NARAE_UNROLLED {
      const Vf x = load(row + j * B);
      unroll<KW>([&](auto k) NARAE_UNROLLED {
        constexpr int from = j() - k();
        if constexpr (from >= 0 && from % S == 0 && from / S < T) v[from / S] = Op::join(v[from / S], x);
      });
    });
  }
  unroll<T>([&](auto i) NARAE_UNROLLED { store(out + i * B, Op::finish(v[i], count)); });
}

// The run of whole tiles inside the row; returns the first output not written.
template <typename Op, int KW, int S>
int64_t pool_inside(const PoolShape& s, const float* row, int64_t row_stride, int64_t rows, float row_count, float* out,
                    int64_t x, int64_t x_end) {
  const float count = row_count * KW;
  for (; x + 4 <= x_end; x += 4)
    pool_tile<Op, KW, S, 4>(row + (x * S - s.pad_left) * B, row_stride, rows, count, out + x * B);
  return x;
}

template <typename Op>
NARAE_INLINE void pool_one(const PoolShape& s, const float* row, int64_t row_stride, int64_t rows, float row_count,
                           float* out, int64_t x) {
  const Window w = window_at(x, s.kw, s.stride_w, s.dilation_w, s.pad_left, s.iw, s.pad_right, s.count_include_pad);
  const float* p = row + (x * s.stride_w - s.pad_left + w.first * s.dilation_w) * B;
  Vf v = splat(Op::empty);
  for (int64_t r = 0; r < rows; r++, p += row_stride)
    for (int64_t k = 0; k < w.last - w.first; k++) v = Op::join(v, load(p + k * s.dilation_w * B));
  store(out + x * B, Op::finish(v, row_count * static_cast<float>(w.count)));
}

template <typename Op>
NARAE_INLINE void pool_row(const PoolShape& s, const float* row, int64_t row_stride, int64_t rows, float row_count,
                           float* out) {
  // Outputs whose whole window is inside.
  int64_t x0 = (s.pad_left + s.stride_w - 1) / s.stride_w;
  int64_t x1 = (s.iw - 1 - (s.kw - 1) * s.dilation_w + s.pad_left) / s.stride_w + 1;
  if (s.iw - 1 - (s.kw - 1) * s.dilation_w + s.pad_left < 0) x1 = 0;
  if (x1 > s.ow) x1 = s.ow;
  if (x0 > x1) x0 = x1;
  int64_t x = 0;
  for (; x < x0; x++) pool_one<Op>(s, row, row_stride, rows, row_count, out, x);
  if (s.dilation_w == 1) {
    if (s.kw == 3 && s.stride_w == 1)
      x = pool_inside<Op, 3, 1>(s, row, row_stride, rows, row_count, out, x, x1);
    else if (s.kw == 3 && s.stride_w == 2)
      x = pool_inside<Op, 3, 2>(s, row, row_stride, rows, row_count, out, x, x1);
    else if (s.kw == 2 && s.stride_w == 2)
      x = pool_inside<Op, 2, 2>(s, row, row_stride, rows, row_count, out, x, x1);
    else if (s.kw == 5 && s.stride_w == 1)
      x = pool_inside<Op, 5, 1>(s, row, row_stride, rows, row_count, out, x, x1);
  }
  for (; x < s.ow; x++) pool_one<Op>(s, row, row_stride, rows, row_count, out, x);
}

template <typename Op>
void run_blocked(const PoolShape& s, const float* in, float* out, int64_t begin, int64_t end) {
  const int64_t blocks = (s.c + B - 1) / B;
  const int64_t in_block = s.in_block ? s.in_block : s.ih * s.iw * B,
                in_batch = s.in_batch ? s.in_batch : blocks * in_block;
  const int64_t out_block = s.out_block ? s.out_block : s.oh * s.ow * B;
  const int64_t out_batch = s.out_batch ? s.out_batch : blocks * out_block;
  for (int64_t task = begin; task < end; task++) {
    const int64_t y = task % s.oh, block = task / s.oh % blocks, image = task / s.oh / blocks;
    const Window w = window_at(y, s.kh, s.stride_h, s.dilation_h, s.pad_top, s.ih, s.pad_bottom, s.count_include_pad);
    const int64_t rows = w.last - w.first, first = rows > 0 ? y * s.stride_h - s.pad_top + w.first * s.dilation_h : 0;
    for (int64_t lane = 0; lane < B; lane += W)
      pool_row<Op>(s, in + image * in_batch + block * in_block + first * s.iw * B + lane, s.dilation_h * s.iw * B, rows,
                   static_cast<float>(w.count), out + image * out_batch + block * out_block + y * s.ow * B + lane);
  }
}

void run_pool_blocked(const PoolShape& s, PoolKind kind, const float* in, float* out, int64_t begin, int64_t end) {
  if (kind == PoolKind::max)
    run_blocked<PoolMax>(s, in, out, begin, end);
  else
    run_blocked<PoolAverage>(s, in, out, begin, end);
}

// One output row from `line`, the rows already joined, which starts at input column -pad_left.
template <typename Op>
NARAE_INLINE void pool_line(const PoolShape& s, const float* line, float row_count, float* out) {
  const bool same_count =
      Op::empty != 0.0f || (s.count_include_pad &&
                            (s.ow - 1) * s.stride_w + (s.kw - 1) * s.dilation_w + 1 <= s.iw + s.pad_left + s.pad_right);
  int64_t x = 0;
  if (s.stride_w == 1 && same_count) {
    for (; x + W <= s.ow; x += W) {
      Vf v = load(line + x);
      for (int64_t k = 1; k < s.kw; k++) v = Op::join(v, load(line + x + k * s.dilation_w));
      store(out + x, Op::finish(v, row_count * static_cast<float>(s.kw)));
    }
  }
  for (; x < s.ow; x++) {
    const float* p = line + x * s.stride_w;
    float v = p[0];
    for (int64_t k = 1; k < s.kw; k++) v = Op::join_one(v, p[k * s.dilation_w]);
    if (Op::empty == 0.0f) {
      const Window w = window_at(x, s.kw, s.stride_w, s.dilation_w, s.pad_left, s.iw, s.pad_right, s.count_include_pad);
      v /= row_count * static_cast<float>(w.count);
    }
    out[x] = v;
  }
}

template <typename Op>
void run_plain(const PoolShape& s, const float* in, float* out, float* scratch, int64_t begin, int64_t end) {
  const int64_t in_block = s.in_block ? s.in_block : s.ih * s.iw, in_batch = s.in_batch ? s.in_batch : s.c * in_block;
  const int64_t out_block = s.out_block ? s.out_block : s.oh * s.ow,
                out_batch = s.out_batch ? s.out_batch : s.c * out_block;
  const int64_t reach = (s.ow - 1) * s.stride_w + (s.kw - 1) * s.dilation_w + 1;
  const int64_t length = reach > s.iw + s.pad_left ? reach : s.iw + s.pad_left;
  for (int64_t i = 0; i < length; i++) scratch[i] = Op::empty;
  float* line = scratch + s.pad_left;
  for (int64_t task = begin; task < end; task++) {
    const int64_t y = task % s.oh, channel = task / s.oh % s.c, image = task / s.oh / s.c;
    const Window w = window_at(y, s.kh, s.stride_h, s.dilation_h, s.pad_top, s.ih, s.pad_bottom, s.count_include_pad);
    const int64_t rows = w.last - w.first, stride = s.dilation_h * s.iw;
    const float* row = in + image * in_batch + channel * in_block;
    if (rows > 0) row += (y * s.stride_h - s.pad_top + w.first * s.dilation_h) * s.iw;
    for_vectors<1>(
        s.iw,
        [&](int64_t i) {
          Vf v = splat(Op::empty);
          for (int64_t r = 0; r < rows; r++) v = Op::join(v, load(row + r * stride + i));
          store(line + i, v);
        },
        [&](int64_t i, int64_t n) {
          Vf v = splat(Op::empty);
          for (int64_t r = 0; r < rows; r++) v = Op::join(v, load(row + r * stride + i, n));
          store(line + i, v, n);
        });
    pool_line<Op>(s, scratch, static_cast<float>(w.count), out + image * out_batch + channel * out_block + y * s.ow);
  }
}

void run_pool_plain(const PoolShape& s, PoolKind kind, const float* in, float* out, float* scratch, int64_t begin,
                    int64_t end) {
  if (kind == PoolKind::max)
    run_plain<PoolMax>(s, in, out, scratch, begin, end);
  else
    run_plain<PoolAverage>(s, in, out, scratch, begin, end);
}

template <typename Op>
void run_global(const PoolShape& s, const float* in, float* out, int64_t begin, int64_t end) {
  const int64_t blocks = (s.c + B - 1) / B, pixels = s.ih * s.iw;
  const int64_t in_block = s.in_block ? s.in_block : pixels * B, in_batch = s.in_batch ? s.in_batch : blocks * in_block;
  const int64_t out_block = s.out_block ? s.out_block : B, out_batch = s.out_batch ? s.out_batch : blocks * out_block;
  for (int64_t task = begin; task < end; task++) {
    const int64_t block = task % blocks, image = task / blocks;
    for (int64_t lane = 0; lane < B; lane += W) {
      const float* p = in + image * in_batch + block * in_block + lane;
      Vf v0 = splat(Op::empty), v1 = v0, v2 = v0, v3 = v0;
      int64_t i = 0;
      for (; i + 4 <= pixels; i += 4, p += 4 * B) {
        v0 = Op::join(v0, load(p));
        v1 = Op::join(v1, load(p + B));
        v2 = Op::join(v2, load(p + 2 * B));
        v3 = Op::join(v3, load(p + 3 * B));
      }
      for (; i < pixels; i++, p += B) v0 = Op::join(v0, load(p));
      const Vf v = Op::join(Op::join(v0, v1), Op::join(v2, v3));
      store(out + image * out_batch + block * out_block + lane, Op::finish(v, static_cast<float>(pixels)));
    }
  }
}

void run_pool_global(const PoolShape& s, PoolKind kind, const float* in, float* out, int64_t begin, int64_t end) {
  if (kind == PoolKind::max)
    run_global<PoolMax>(s, in, out, begin, end);
  else
    run_global<PoolAverage>(s, in, out, begin, end);
}

constexpr PoolKernels pool_here() { return {B, run_pool_blocked, run_pool_plain, run_pool_global}; }

}  // namespace
}  // namespace narae::cpu
