// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/conv_spread.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/pack.h"

namespace narae::cpu {
namespace {

constexpr int64_t product_floats = 8192;  // of one panel over one band: stays in the first cache levels

// `count` runs of `size` floats, `from_step` apart, one after another.
template <int64_t size>
void copy_runs(const float* from, int64_t from_step, int64_t count, float* to) {
  for (int64_t i = 0; i < count; ++i) std::memcpy(to + i * size, from + i * from_step, size * sizeof(float));
}
void copy_runs(const float* from, int64_t from_step, int64_t count, int64_t size, float* to) {
  switch (size) {
    case 1: return copy_runs<1>(from, from_step, count, to);
    case 2: return copy_runs<2>(from, from_step, count, to);
    case 3: return copy_runs<3>(from, from_step, count, to);
    case 4: return copy_runs<4>(from, from_step, count, to);
    default:
      for (int64_t i = 0; i < count; ++i) {
        std::memcpy(to + i * size, from + i * from_step, static_cast<size_t>(size) * sizeof(float));
      }
  }
}

class Spread {
 public:
  Spread(const SpreadPlan& plan, const float* in, const float* weights, float* out, const SpreadEpilogue& epilogue,
         float* scratch)
      : plan_(plan), s_(plan.shape), tiles_(*plan.tiles), in_(in), weights_(weights), out_(out), epilogue_(epilogue) {
    bias_ = scratch, product_ = scratch + round_up(plan.columns, tiles_.lanes);
    const int64_t taps = s_.kh * s_.kw;
    for (int64_t i = 0; i < plan.columns; ++i) bias_[i] = epilogue.bias ? epilogue.bias[i / taps] : 0.f;
    std::fill(bias_ + plan.columns, product_, 0.f);
  }

  void band(int64_t image, int64_t row, int64_t rows) const {
    const int64_t width = spread_vectors(plan_.columns, tiles_) * tiles_.lanes;
    for (int64_t panel = 0; panel < plan_.panels; ++panel) {
      const int64_t first = panel * width, columns = std::min(width, plan_.columns - first);
      const int64_t ldc = round_up(columns, tiles_.lanes);
      multiply(image, row, rows, first, ldc);
      for (int64_t r = 0; r < rows; ++r) spread_row(image, row + r, product_ + r * s_.iw * ldc, ldc, first, columns);
    }
  }

 private:
  // product_[pixel][ldc] of the pixels of `rows` input rows by the panel that starts at column `first`.
  void multiply(int64_t image, int64_t row, int64_t rows, int64_t first, int64_t ldc) const {
    const int64_t lanes = tiles_.lanes, blocks = ceil_div(s_.ic, lanes), plane = s_.ih * s_.iw * lanes;
    const int vectors = static_cast<int>(ldc / lanes);
    BrgemmArgs args;
    args.a_stride = plane, args.lda = lanes;
    args.b = weights_ + first * s_.ic, args.b_stride = lanes * ldc;
    args.batch = blocks, args.k = lanes;
    if (s_.ic % lanes != 0) args.short_items = 1, args.k_short = s_.ic % lanes;
    args.ldc = ldc, args.c_vec_stride = lanes;
    args.bias = bias_ + first;
    args.act = epilogue_.act, args.lo = epilogue_.lo, args.hi = epilogue_.hi;
    const float* a = in_ + image * blocks * plane + row * s_.iw * lanes;
    const RowSplit split = split_rows(rows * s_.iw, tiles_.max_rows[vectors - 1]);
    int64_t pixel = 0;
    for (int64_t tile = 0; tile < split.tiles; ++tile) {
      const int64_t height = split.base + (tile < split.extra ? 1 : 0);
      args.a = a + pixel * lanes, args.c = product_ + pixel * ldc;
      tiles_.run(static_cast<int>(height), vectors, args);
      pixel += height;
    }
  }

  // Columns [first, first + columns) of one input row's product to the output rows they belong to. A panel may begin
  // and end in the middle of a kernel row.
  void spread_row(int64_t image, int64_t row, const float* product, int64_t ldc, int64_t first, int64_t columns) const {
    const int64_t out_columns = s_.iw * s_.kw;
    for (int64_t c = 0; c < columns;) {
      const int64_t column = first + c, kx = column % s_.kw, line = column / s_.kw;  // line: oc * kh + ky
      const int64_t size = std::min(s_.kw - kx, columns - c);
      float* to =
          out_ + ((image * s_.oc + line / s_.kh) * s_.ih * s_.kh + row * s_.kh + line % s_.kh) * out_columns + kx;
      if (size == s_.kw) {
        copy_runs(product + c, ldc, s_.iw, size, to);
      } else {
        for (int64_t x = 0; x < s_.iw; ++x) {
          std::memcpy(to + x * s_.kw, product + x * ldc + c, static_cast<size_t>(size) * sizeof(float));
        }
      }
      c += size;
    }
  }

  const SpreadPlan& plan_;
  const SpreadShape& s_;
  const BrgemmTiles& tiles_;
  const float *in_, *weights_;
  float* out_;
  const SpreadEpilogue& epilogue_;
  float *bias_ = nullptr, *product_ = nullptr;
};

}  // namespace

int spread_vectors(int64_t columns, const BrgemmTiles& tiles) {
  return static_cast<int>(std::min<int64_t>(tiles.max_vectors, ceil_div(columns, tiles.lanes)));
}

SpreadPlan make_spread_plan(const SpreadShape& shape, const BrgemmTiles& tiles) {
  SpreadPlan plan{shape, &tiles};
  plan.columns = shape.oc * shape.kh * shape.kw;
  const int64_t width = spread_vectors(plan.columns, tiles) * tiles.lanes;
  plan.panels = ceil_div(plan.columns, width);
  plan.band = std::clamp<int64_t>(product_floats / (shape.iw * width), 1, shape.ih);
  plan.bands = ceil_div(shape.ih, plan.band);
  return plan;
}

int64_t spread_scratch(const SpreadPlan& plan) {
  const int64_t width = spread_vectors(plan.columns, *plan.tiles) * plan.tiles->lanes;
  return round_up(plan.columns, plan.tiles->lanes) + plan.band * plan.shape.iw * width;
}

int64_t spread_weights_size(int64_t ic, int64_t columns, const BrgemmTiles& tiles) {
  return packed_b_size(ic, columns, tiles.lanes);
}

void spread_pack_weights(int64_t ic, int64_t columns, const float* weights, const BrgemmTiles& tiles, float* out) {
  const int64_t width = spread_vectors(columns, tiles) * tiles.lanes;
  pack_b(weights, columns, false, ic, columns, static_cast<int>(width), tiles.lanes, 1.0f, 0, ceil_div(columns, width),
         out);
}

void spread_run(const SpreadPlan& plan, const float* in, const float* packed_weights, float* out,
                const SpreadEpilogue& epilogue, float* scratch, int64_t task_begin, int64_t task_end) {
  const Spread spread(plan, in, packed_weights, out, epilogue, scratch);
  for (int64_t task = task_begin; task < task_end; ++task) {
    const int64_t row = task % plan.bands * plan.band;
    spread.band(task / plan.bands, row, std::min(plan.band, plan.shape.ih - row));
  }
}

}  // namespace narae::cpu
