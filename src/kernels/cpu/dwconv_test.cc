// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution against a double-precision loop: kernel sizes, strides, dilations, uneven padding, maps
// narrower than a tile, channel tails, epilogues, sliced outputs.
#include "kernels/cpu/dwconv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu/isa_test.h"

namespace narae::cpu {
namespace {

class Dwconv : public IsaTest {
 protected:
  const DwconvKernels& kernels() { return *dwconv_kernels(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Isa, Dwconv, testing::ValuesIn(known_isas()), isa_name);

ConvShape shape_of(int64_t c, int64_t h, int64_t w, int64_t k, int64_t stride, int64_t pad, int64_t dilation = 1,
                   int64_t n = 1) {
  ConvShape s;
  s.n = n, s.ic = s.oc = s.groups = c, s.ih = h, s.iw = w, s.kh = s.kw = k;
  s.stride_h = s.stride_w = stride, s.dilation_h = s.dilation_w = dilation, s.pad_top = s.pad_left = pad;
  s.oh = conv_extent(h, k, stride, dilation, 2 * pad), s.ow = conv_extent(w, k, stride, dilation, 2 * pad);
  return s;
}

double activated(double x, Act act, double lo, double hi) {
  switch (act) {
    case Act::relu: return std::max(x, 0.0);
    case Act::clip: return std::min(std::max(x, lo), hi);
    case Act::hard_swish: return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0);
    case Act::leaky: return x > 0 ? x : lo * x;
    default: return x;
  }
}

struct Seen {
  int64_t rows = 0, pixels = 0;
};

void check(const DwconvKernels& kernels, ConvShape s, Act act = Act::none, bool residual = false, bool after = false) {
  ASSERT_TRUE(is_depthwise(s));
  const int64_t b = kernels.block, blocks = ceil_div(s.oc, b);
  Random random(static_cast<uint32_t>(s.iw * 31 + s.kw));
  const std::vector<float> weights = random.vector(s.oc * s.kh * s.kw);
  std::vector<float> bias = random.vector(s.oc);
  bias.resize(blocks * b);
  const std::vector<float> x = random.vector(s.n * blocks * s.ih * s.iw * b),
                           r = random.vector(s.n * blocks * s.oh * s.ow * b);
  if (!s.out_batch) s.out_batch = blocks * s.oh * s.ow * b;
  std::vector<float> y(s.n * s.out_batch, 9.0f), packed(dwconv_weights_size(s, b));
  dwconv_pack_weights(s, b, weights.data(), packed.data());
  ConvEpilogue e;
  e.bias = bias.data(), e.act = act, e.lo = act == Act::leaky ? 0.1f : 0.2f, e.hi = 0.7f;
  if (residual) e.residual = r.data();
  Seen seen;
  if (after) {
    e.after.context = &seen;
    e.after.run = [](void* context, const HotTile& tile) {
      auto* count = static_cast<Seen*>(context);
      count->rows++;
      count->pixels += tile.rows;
      for (int64_t i = 0; i < tile.rows; i++)
        for (int64_t c = 0; c < tile.columns; c++)
          tile.data[i * tile.row_stride + c] += static_cast<float>(tile.column + c + tile.row + i);
    };
  }
  const int64_t tasks = dwconv_tasks(s, b), middle = tasks / 2;
  kernels.run(s, x.data(), packed.data(), y.data(), e, middle, tasks);
  kernels.run(s, x.data(), packed.data(), y.data(), e, 0, middle);
  if (after) {
    EXPECT_GE(seen.rows, s.n * blocks * s.oh);
    EXPECT_EQ(seen.pixels, s.n * blocks * s.oh * s.ow);
  }
  for (int64_t n = 0; n < s.n; n++)
    for (int64_t c = 0; c < blocks * b; c++)
      for (int64_t oy = 0; oy < s.oh; oy++)
        for (int64_t ox = 0; ox < s.ow; ox++) {
          const int64_t at = ((c / b * s.oh + oy) * s.ow + ox) * b + c % b;
          double sum = 0;
          if (c < s.oc) {
            sum = bias[c];
            for (int64_t ky = 0; ky < s.kh; ky++)
              for (int64_t kx = 0; kx < s.kw; kx++) {
                const int64_t iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h,
                              ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
                if (iy < 0 || iy >= s.ih || ix < 0 || ix >= s.iw) continue;
                sum += static_cast<double>(weights[(c * s.kh + ky) * s.kw + kx]) *
                       x[(((n * blocks + c / b) * s.ih + iy) * s.iw + ix) * b + c % b];
              }
            if (residual) sum += r[n * blocks * s.oh * s.ow * b + at];
            sum = activated(sum, act, e.lo, e.hi);
            if (after) sum += static_cast<double>(c + oy * s.ow + ox);
          }
          ASSERT_NEAR(y[n * s.out_batch + at], sum, 2e-5 + 1e-6 * std::fabs(sum))
              << "c " << c << " at " << oy << "," << ox << " of " << s.oh << "x" << s.ow;
        }
}

TEST_P(Dwconv, KernelsStridesAndWidths) {
  for (int64_t k : {1, 3, 4, 5, 7, 9})
    for (int64_t stride : {1, 2, 3})
      for (int64_t w : {1, 2, 5, 7, 13, 14, 15, 28, 31}) {
        if (w + 2 * (k / 2) < k) continue;
        check(kernels(), shape_of(16, 6, w, k, stride, k / 2));
        if (w >= k) check(kernels(), shape_of(16, std::max<int64_t>(k, 5), w, k, stride, 0));
      }
}

TEST_P(Dwconv, DilationAndUnevenPadding) {
  check(kernels(), shape_of(16, 12, 17, 3, 1, 2, 2));
  check(kernels(), shape_of(16, 12, 17, 3, 2, 3, 3));
  ConvShape s = shape_of(24, 9, 11, 5, 2, 0);
  s.pad_top = 1, s.pad_left = 2, s.oh = 5, s.ow = 6;
  check(kernels(), s);
  s = shape_of(16, 4, 4, 3, 1, 1);
  s.kh = 1, s.kw = 3, s.pad_top = 0, s.stride_h = 2, s.oh = 2;
  check(kernels(), s);
  check(kernels(), shape_of(16, 19, 150, 3, 1, 1));  // several bands and strips
  check(kernels(), shape_of(16, 2, 2, 3, 1, 4));     // outputs that see only padding
}

TEST_P(Dwconv, EpiloguesAndChannelTails) {
  for (int64_t channels : {1, 8, 16, 19, 40})
    for (Act act : {Act::none, Act::relu, Act::clip, Act::hard_swish, Act::leaky})
      for (bool residual : {false, true}) {
        check(kernels(), shape_of(channels, 5, 9, 3, 1, 1, 1, 2), act, residual, channels == 19);
        check(kernels(), shape_of(channels, 9, 70, 5, 1, 2), act, residual, channels == 19);
        check(kernels(), shape_of(channels, 5, 9, 4, 2, 1), act, residual);
      }
}

TEST_P(Dwconv, OutputMayBeASlice) {
  ConvShape s = shape_of(16, 5, 9, 3, 1, 1, 1, 2);
  s.out_batch = 5 * 9 * 16 + 48;
  check(kernels(), s);
}

}  // namespace
}  // namespace narae::cpu
