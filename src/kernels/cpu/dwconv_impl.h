// SPDX-License-Identifier: Apache-2.0
// Depthwise tiles, written once: T neighbouring outputs of one row stay in registers, every input vector is loaded once
// per kernel row and serves all taps. The loops over T and the taps must be unrolled by templates: with an accumulator
// array that is indexed at run time the compiler spills it.
#pragma once

#include "kernels/cpu/dwconv.h"
#include "kernels/cpu/vec_rows.h"
#include "kernels/cpu/vec_unroll.h"

namespace narae::cpu {
namespace {

constexpr int64_t B = channel_block;
// Accumulators, one kernel row of taps and an input vector fit the registers.
constexpr int max_tile = vec_width == 16 ? 14 : vec_width == 8 ? 8 : 4;
alignas(64) constexpr float zero_pixel[B] = {};

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
__attribute__((noinline)) void dw_tile_any(const DwTile& t) {
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
  unroll<4>([&](auto i) NARAE_UNROLLED {
    if (i >= t.count) return;
    if (t.residual) sum[i] = sum[i] + load(t.residual + i * B);
    store(t.out + i * B, activate(sum[i], t));
  });
}

using DwTileFn = void (*)(const DwTile&);

struct DwTable {
  int64_t limit = 0;  // outputs of the widest tile
  DwTileFn inside[max_tile] = {}, edge[max_tile] = {};
};
template <int KW, int S, int... T>
constexpr DwTable dw_table(std::integer_sequence<int, T...>) {
  return {sizeof...(T), {dw_tile<KW, S, T + 1, false>...}, {dw_tile<KW, S, T + 1, true>...}};
}
// Of 16 registers 7 taps leave fewer for sums.
template <int KW, int S>
constexpr DwTable dw_table_of =
    dw_table<KW, S>(std::make_integer_sequence<int, vec_width == 8 && KW == 7 ? 6 : max_tile>{});

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

// Outputs [x, x_end) of one row.
NARAE_INLINE void dw_strip(const ConvShape& s, const DwTable* table, DwTile& t, int64_t x, int64_t x_end) {
  while (x < x_end) {
    t.column = x * s.stride_w - s.pad_left;
    // Tiles of about equal width: a last one of a single output would wait for its own sums.
    const int64_t left = x_end - x, limit = table ? table->limit : 4;
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

NARAE_INLINE void finish_strip(const ConvShape& s, const ConvEpilogue& e, const HotTile& tile) {
  if (e.act == Act::leaky) {
    const Vf slope = splat(e.lo);
    for (int64_t i = 0; i < tile.rows * B; i += W) {
      const Vf v = load(tile.data + i);
      store(tile.data + i, select(v > zero(), v, slope * v));
    }
  }
  if (e.after.run) e.after.run(e.after.context, tile);
  if (tile.columns < B)
    for (int64_t x = 0; x < tile.rows; x++)
      for (int64_t c = tile.columns; c < B; c++) tile.data[x * B + c] = 0.0f;
}

// Columns whose input rows and output row take at most half of a small first cache.
int64_t strip_width(const ConvShape& s) {
  constexpr int64_t budget = 16 << 10;
  const int64_t per_column = (s.kh * s.stride_w + 1) * B * static_cast<int64_t>(sizeof(float));
  int64_t width = budget / per_column / max_tile * max_tile;
  if (width < max_tile) width = max_tile;
  const int64_t strips = (s.ow + width - 1) / width;
  return ((s.ow + strips - 1) / strips + max_tile - 1) / max_tile * max_tile;
}

struct DwPlanes {
  const float* in;  // one channel block of one image
  float* out;
  const float* residual;
  const float* weights;
  const float* bias;
};

void dw_band(const ConvShape& s, const ConvEpilogue& e, const DwTable* table, DwTile& t, const DwPlanes& p, int64_t y0,
             int64_t y1, int64_t image, int64_t channel) {
  const int64_t width = strip_width(s), real = s.oc - channel < B ? s.oc - channel : B;
  for (int64_t x0 = 0; x0 < s.ow; x0 += width) {
    const int64_t x1 = x0 + width < s.ow ? x0 + width : s.ow;
    for (int64_t y = y0; y < y1; y++) {
      const int64_t first = y * s.stride_h - s.pad_top;  // input row of kernel row 0
      int64_t k0 = 0, k1 = s.kh;
      while (k0 < k1 && first + k0 * s.dilation_h < 0) k0++;
      while (k1 > k0 && first + (k1 - 1) * s.dilation_h >= s.ih) k1--;
      // Without a kernel row inside the image nothing is read, so any valid row will do.
      const int64_t in_row = k0 < k1 ? first + k0 * s.dilation_h : 0;
      const int64_t at = (y * s.ow + x0) * B;
      t.rows = k1 - k0;
      for (int64_t lane = 0; lane < B; lane += W) {
        t.row = p.in + in_row * s.iw * B + lane;
        t.taps = p.weights + k0 * s.kw * B + lane;
        t.out = p.out + at + lane;
        t.residual = p.residual ? p.residual + at + lane : nullptr;
        t.bias = p.bias ? load(p.bias + lane) : zero();
        dw_strip(s, table, t, x0, x1);
      }
      finish_strip(s, e, HotTile{p.out + at, B, x1 - x0, real, y * s.ow + x0, channel, image});
    }
  }
}

void run_dwconv(const ConvShape& s, const float* in, const float* weights, float* out, const ConvEpilogue& e,
                int64_t begin, int64_t end) {
  const int64_t blocks = (s.oc + B - 1) / B, bands = (s.oh + dwconv_band - 1) / dwconv_band;
  const int64_t in_block = s.in_block ? s.in_block : s.ih * s.iw * B;
  const int64_t in_batch = s.in_batch ? s.in_batch : blocks * in_block;
  const int64_t out_block = s.out_block ? s.out_block : s.oh * s.ow * B;
  const int64_t out_batch = s.out_batch ? s.out_batch : blocks * out_block;
  const int64_t residual_block = s.residual_block ? s.residual_block : s.oh * s.ow * B;
  const int64_t residual_batch = s.residual_batch ? s.residual_batch : blocks * residual_block;
  const DwTable* table = dw_table_for(s);
  const float infinity = __builtin_inff();
  DwTile t = {};
  t.row_stride = s.dilation_h * s.iw * B;
  t.width = s.iw;
  t.low = splat(e.act == Act::relu ? 0.0f : e.act == Act::clip ? e.lo : -infinity);
  t.high = splat(e.act == Act::clip ? e.hi : infinity);
  t.hard_swish = e.act == Act::hard_swish;
  t.kernel_width = s.kw, t.stride = s.stride_w, t.dilation = s.dilation_w;
  for (int64_t task = begin; task < end; task++) {
    const int64_t band = task % bands, block = task / bands % blocks, image = task / bands / blocks;
    const DwPlanes p = {in + image * in_batch + block * in_block, out + image * out_batch + block * out_block,
                        e.residual ? e.residual + image * residual_batch + block * residual_block : nullptr,
                        weights + block * s.kh * s.kw * B, e.bias ? e.bias + block * B : nullptr};
    const int64_t y0 = band * dwconv_band, y1 = y0 + dwconv_band < s.oh ? y0 + dwconv_band : s.oh;
    dw_band(s, e, table, t, p, y0, y1, image, block * B);
  }
}

constexpr DwconvKernels dwconv_here() { return {B, run_dwconv}; }

}  // namespace
}  // namespace narae::cpu
