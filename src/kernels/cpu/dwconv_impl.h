// SPDX-License-Identifier: Apache-2.0
// Depthwise tiles, written once: T neighbouring outputs of one row stay in registers, every input vector is loaded once
// per kernel row and serves all taps. The loops over T and the taps must be unrolled by templates: with an accumulator
// array that is indexed at run time the compiler spills it.
#pragma once

#include <utility>

#include "kernels/cpu/dwconv.h"
#include "kernels/cpu/vec_rows.h"

namespace narae::cpu {
namespace {

constexpr int64_t B = channel_block;
// Accumulators, one kernel row of taps and an input vector fit the registers.
constexpr int max_tile = vec_width == 16 ? 14 : vec_width == 8 ? 8 : 4;
alignas(64) constexpr float zero_pixel[B] = {};

template <int... I, typename F>
NARAE_INLINE void unroll_each(std::integer_sequence<int, I...>, F&& f) {
  (f(std::integral_constant<int, I>{}), ...);
}
template <int N, typename F>
NARAE_INLINE void unroll(F&& f) {
  unroll_each(std::make_integer_sequence<int, N>{}, f);
}
#define NARAE_UNROLLED __attribute__((always_inline))

// One tile: input column of its first output and tap, first kernel row inside the image, and where things are.
struct DwTile {
  const float* row;       // input row of kernel row 0 here, column 0
  int64_t row_stride;     // floats between the input rows of neighbouring kernel rows
  int64_t rows;           // kernel rows inside the image
  const float* taps;      // of the first of them
  int64_t column, width;  // input column of the first tap, input width
  float* out;
  const float* residual;  // or null
  Vf bias, low, high;
  bool hard_swish;
  // Only the general tile:
  int64_t kernel_width, stride, dilation;
  int count;
};

NARAE_INLINE Vf activate(Vf v, const DwTile& t) {
  if (t.hard_swish) return v * (clip(v + splat(3.0f), zero(), splat(6.0f)) * splat(1.0f / 6.0f));
  return clip(v, t.low, t.high);
}

template <int KW, int S, int T, bool Edge>
void dw_tile(const DwTile& t) {
  constexpr int columns = (T - 1) * S + KW;
  Vf sum[T];
  unroll<T>([&](auto i) NARAE_UNROLLED { sum[i] = t.bias; });
  const float* row = t.row + t.column * B;
  const float* taps = t.taps;
  for (int64_t r = 0; r < t.rows; r++, row += t.row_stride, taps += KW * B) {
    Vf tap[KW];
    unroll<KW>([&](auto k) NARAE_UNROLLED { tap[k] = load(taps + k * B); });
    unroll<columns>([&](auto j) NARAE_UNROLLED {
      const float* p = row + j * B;
      if constexpr (Edge) p = static_cast<uint64_t>(t.column + j) < static_cast<uint64_t>(t.width) ? p : zero_pixel;
      const Vf v = load(p);
      unroll<KW>([&](auto k) NARAE_UNROLLED {
        constexpr int from = j() - k();
        if constexpr (from >= 0 && from % S == 0 && from / S < T) sum[from / S] = fma(v, tap[k], sum[from / S]);
      });
    });
  }
  if (t.residual) unroll<T>([&](auto i) NARAE_UNROLLED { sum[i] = sum[i] + load(t.residual + i * B); });
  if (t.hard_swish)
    unroll<T>([&](auto i) NARAE_UNROLLED { store(t.out + i * B, activate(sum[i], t)); });
  else
    unroll<T>([&](auto i) NARAE_UNROLLED { store(t.out + i * B, clip(sum[i], t.low, t.high)); });
}

// Any kernel width, stride and dilation: up to four outputs, tap by tap.
void dw_tile_any(const DwTile& t) {
  Vf sum[4] = {t.bias, t.bias, t.bias, t.bias};
  const float* row = t.row;
  const float* taps = t.taps;
  for (int64_t r = 0; r < t.rows; r++, row += t.row_stride) {
    for (int64_t k = 0; k < t.kernel_width; k++, taps += B) {
      const Vf tap = load(taps);
      unroll<4>([&](auto i) NARAE_UNROLLED {
        const int64_t column = t.column + k * t.dilation + i * t.stride;
        const bool inside = static_cast<uint64_t>(column) < static_cast<uint64_t>(t.width);
        sum[i] = fma(load(inside ? row + column * B : zero_pixel), tap, sum[i]);
      });
    }
  }
  for (int i = 0; i < t.count; i++) {
    if (t.residual) sum[i] = sum[i] + load(t.residual + i * B);
    store(t.out + i * B, activate(sum[i], t));
  }
}

using DwTileFn = void (*)(const DwTile&);

struct DwTable {
  DwTileFn inside[max_tile] = {}, edge[max_tile] = {};
};
template <int KW, int S, int... T>
constexpr DwTable dw_table(std::integer_sequence<int, T...>) {
  return {{dw_tile<KW, S, T + 1, false>...}, {dw_tile<KW, S, T + 1, true>...}};
}
template <int KW, int S>
constexpr DwTable dw_table_of = dw_table<KW, S>(std::make_integer_sequence<int, max_tile>{});

const DwTable* dw_table_for(const ConvShape& s) {
  if (s.dilation_w != 1) return nullptr;
  if (s.stride_w == 1) {
    if (s.kw == 3) return &dw_table_of<3, 1>;
    if (s.kw == 5) return &dw_table_of<5, 1>;
    if (s.kw == 7) return &dw_table_of<7, 1>;
  } else if (s.stride_w == 2) {
    if (s.kw == 3) return &dw_table_of<3, 2>;
    if (s.kw == 5) return &dw_table_of<5, 2>;
  }
  return nullptr;
}

void dw_row(const ConvShape& s, const DwTable* table, DwTile t) {
  for (int64_t x = 0; x < s.ow;) {
    t.column = x * s.stride_w - s.pad_left;
    // Tiles of about equal width: a last one of a single output would wait for its own sums.
    const int64_t left = s.ow - x, limit = table ? max_tile : 4;
    const int64_t parts = (left + limit - 1) / limit, count = (left + parts - 1) / parts;
    if (table) {
      const int64_t last = t.column + (count - 1) * s.stride_w + s.kw - 1;
      const bool inside = t.column >= 0 && last < s.iw;
      (inside ? table->inside : table->edge)[count - 1](t);
    } else {
      t.count = static_cast<int>(count);
      dw_tile_any(t);
    }
    t.out += count * B;
    if (t.residual) t.residual += count * B;
    x += count;
  }
}

void finish_row(const ConvShape& s, const ConvEpilogue& e, float* out, int64_t image, int64_t channel, int64_t y) {
  if (e.act == Act::leaky) {
    const Vf slope = splat(e.lo);
    for (int64_t i = 0; i < s.ow * B; i += W) {
      const Vf v = load(out + i);
      store(out + i, select(v > zero(), v, slope * v));
    }
  }
  const int64_t real = s.oc - channel < B ? s.oc - channel : B;
  if (e.after.run) e.after.run(e.after.context, HotTile{out, B, s.ow, real, y * s.ow, channel, image});
  if (real < B)
    for (int64_t x = 0; x < s.ow; x++)
      for (int64_t c = real; c < B; c++) out[x * B + c] = 0.0f;
}

void run_dwconv(const ConvShape& s, const float* in, const float* weights, float* out, const ConvEpilogue& e,
                int64_t begin, int64_t end) {
  const int64_t blocks = (s.oc + B - 1) / B;
  const int64_t in_block = s.in_block ? s.in_block : s.ih * s.iw * B,
                in_batch = s.in_batch ? s.in_batch : blocks * in_block;
  const int64_t out_block = s.out_block ? s.out_block : s.oh * s.ow * B;
  const int64_t out_batch = s.out_batch ? s.out_batch : blocks * out_block;
  const int64_t residual_block = s.residual_block ? s.residual_block : s.oh * s.ow * B;
  const int64_t residual_batch = s.residual_batch ? s.residual_batch : blocks * residual_block;
  const DwTable* table = dw_table_for(s);
  const float infinity = __builtin_inff();
  DwTile t;
  t.row_stride = s.dilation_h * s.iw * B;
  t.width = s.iw;
  t.low = splat(e.act == Act::relu ? 0.0f : e.act == Act::clip ? e.lo : -infinity);
  t.high = splat(e.act == Act::clip ? e.hi : infinity);
  t.hard_swish = e.act == Act::hard_swish;
  t.kernel_width = s.kw, t.stride = s.stride_w, t.dilation = s.dilation_w;
  for (int64_t task = begin; task < end; task++) {
    const int64_t y = task % s.oh, block = task / s.oh % blocks, image = task / s.oh / blocks;
    const int64_t first = y * s.stride_h - s.pad_top;  // input row of kernel row 0
    int64_t k0 = 0, k1 = s.kh;
    while (k0 < k1 && first + k0 * s.dilation_h < 0) k0++;
    while (k1 > k0 && first + (k1 - 1) * s.dilation_h >= s.ih) k1--;
    float* row = out + image * out_batch + block * out_block + y * s.ow * B;
    for (int64_t lane = 0; lane < B; lane += W) {
      // Without a kernel row inside the image nothing is read, so any valid row will do.
      const int64_t in_row = k0 < k1 ? first + k0 * s.dilation_h : 0;
      t.row = in + image * in_batch + block * in_block + in_row * s.iw * B + lane;
      t.rows = k1 - k0;
      t.taps = weights + (block * s.kh + k0) * s.kw * B + lane;
      t.out = row + lane;
      t.residual =
          e.residual ? e.residual + image * residual_batch + block * residual_block + y * s.ow * B + lane : nullptr;
      t.bias = e.bias ? load(e.bias + block * B + lane) : zero();
      dw_row(s, table, t);
    }
    finish_row(s, e, row, image, block * B, y);
  }
}

constexpr DwconvKernels dwconv_here() { return {B, run_dwconv}; }

}  // namespace
}  // namespace narae::cpu
