// SPDX-License-Identifier: Apache-2.0
// Pooling on both layouts against a double-precision loop: windows, strides, dilation, padding, ceil mode, what
// averages count, channel tails, slices, global pooling.
#include "kernels/cpu/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu/isa_test.h"

namespace narae::cpu {
namespace {

class Pool : public IsaTest {
 protected:
  const PoolKernels& kernels() { return *pool_kernels(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Isa, Pool, testing::ValuesIn(known_isas()), isa_name);

PoolShape shape_of(int64_t c, int64_t h, int64_t w, int64_t k, int64_t stride, int64_t pad, bool ceil,
                   int64_t dilation = 1) {
  PoolShape s;
  s.n = 2, s.c = c, s.ih = h, s.iw = w, s.kh = s.kw = k, s.stride_h = s.stride_w = stride;
  s.dilation_h = s.dilation_w = dilation;
  s.pad_top = s.pad_left = s.pad_bottom = s.pad_right = pad;
  auto extent = [&](int64_t in) {
    const int64_t free = in + 2 * pad - (k - 1) * dilation - 1;
    int64_t out = (free + (ceil ? stride - 1 : 0)) / stride + 1;
    if (ceil && (out - 1) * stride >= in + pad) out--;  // no window may start behind the image
    return out;
  };
  s.oh = extent(h), s.ow = extent(w);
  return s;
}

double pooled(const PoolShape& s, PoolKind kind, const float* plane, int64_t oy, int64_t ox) {
  double sum = 0, high = -INFINITY;
  int64_t inside = 0, padded = 0;
  for (int64_t ky = 0; ky < s.kh; ky++)
    for (int64_t kx = 0; kx < s.kw; kx++) {
      const int64_t y = oy * s.stride_h - s.pad_top + ky * s.dilation_h,
                    x = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
      if (y < s.ih + s.pad_bottom && x < s.iw + s.pad_right) padded++;
      if (y < 0 || x < 0 || y >= s.ih || x >= s.iw) continue;
      inside++;
      sum += plane[y * s.iw + x];
      high = std::max<double>(high, plane[y * s.iw + x]);
    }
  if (kind == PoolKind::max) return high;
  return sum / static_cast<double>(s.count_include_pad ? padded : inside);
}

void check(const PoolKernels& kernels, PoolShape s, PoolKind kind) {
  const int64_t b = kernels.block, blocks = (s.c + b - 1) / b, in = s.ih * s.iw, out = s.oh * s.ow;
  Random random(static_cast<uint32_t>(s.iw * 7 + s.kw));
  const std::vector<float> x = random.vector(s.n * s.c * in);
  std::vector<float> xb(s.n * blocks * b * in), y(s.n * s.c * out, 9.0f), yb(s.n * blocks * b * out, 9.0f),
      scratch(pool_scratch(s));
  for (int64_t n = 0; n < s.n; n++)
    for (int64_t c = 0; c < s.c; c++)
      for (int64_t i = 0; i < in; i++) xb[((n * blocks + c / b) * in + i) * b + c % b] = x[(n * s.c + c) * in + i];
  const int64_t plain = pool_tasks_plain(s), blocked = pool_tasks_blocked(s, b);
  kernels.plain(s, kind, x.data(), y.data(), scratch.data(), plain / 2, plain);
  kernels.plain(s, kind, x.data(), y.data(), scratch.data(), 0, plain / 2);
  kernels.blocked(s, kind, xb.data(), yb.data(), blocked / 2, blocked);
  kernels.blocked(s, kind, xb.data(), yb.data(), 0, blocked / 2);
  for (int64_t n = 0; n < s.n; n++)
    for (int64_t c = 0; c < blocks * b; c++)
      for (int64_t i = 0; i < out; i++) {
        const double want = c < s.c ? pooled(s, kind, &x[(n * s.c + c) * in], i / s.ow, i % s.ow) : 0.0;
        if (c < s.c) {
          ASSERT_NEAR(y[(n * s.c + c) * out + i], want, 1e-5) << "plain " << i / s.ow << "," << i % s.ow;
        }
        ASSERT_NEAR(yb[((n * blocks + c / b) * out + i) * b + c % b], want, 1e-5)
            << "blocked " << i / s.ow << "," << i % s.ow;
      }
}

TEST_P(Pool, WindowsOfAllKinds) {
  for (PoolKind kind : {PoolKind::max, PoolKind::average})
    for (bool include : {false, true})
      for (bool ceil : {false, true})
        for (int64_t k : {1, 2, 3, 5, 7})
          for (int64_t stride : {1, 2, 3})
            for (int64_t w : {7, 12, 35}) {
              PoolShape s = shape_of(19, 8, w, k, stride, std::min<int64_t>(k / 2, 2), ceil);
              s.count_include_pad = include;
              check(kernels(), s, kind);
            }
}

TEST_P(Pool, DilationAndUnevenPadding) {
  for (PoolKind kind : {PoolKind::max, PoolKind::average}) {
    check(kernels(), shape_of(16, 11, 13, 3, 1, 1, false, 2), kind);
    check(kernels(), shape_of(16, 11, 13, 2, 2, 0, true, 3), kind);
    PoolShape s = shape_of(8, 6, 9, 3, 2, 0, false);
    s.pad_bottom = s.pad_right = 1, s.oh = 3, s.ow = 4, s.kh = 2, s.stride_h = 2, s.oh = 3;
    for (bool include : {false, true}) {
      s.count_include_pad = include;
      check(kernels(), s, kind);
    }
  }
}

TEST_P(Pool, Global) {
  for (PoolKind kind : {PoolKind::max, PoolKind::average})
    for (int64_t pixels : {1, 3, 49, 64}) {
      const int64_t b = kernels().block;
      PoolShape s;
      s.n = 2, s.c = b + 3, s.ih = pixels, s.iw = 1;
      s.in_batch = 2 * pixels * b + 32;  // a slice of something wider
      Random random(9);
      std::vector<float> x = random.vector(2 * s.in_batch), y(4 * b, 9.0f);
      kernels().global_blocked(s, kind, x.data(), y.data(), 0, pool_tasks_global(s, b));
      for (int64_t n = 0; n < 2; n++)
        for (int64_t c = 0; c < 2 * b; c++) {
          double sum = 0, high = -INFINITY;
          for (int64_t i = 0; i < pixels; i++) {
            const double v = x[n * s.in_batch + (c / b * pixels + i) * b + c % b];
            sum += v, high = std::max(high, v);
          }
          ASSERT_NEAR(y[n * 2 * b + c], kind == PoolKind::max ? high : sum / static_cast<double>(pixels), 1e-5);
        }
    }
}

}  // namespace
}  // namespace narae::cpu
