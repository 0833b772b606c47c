// SPDX-License-Identifier: Apache-2.0
// Every listed config of each shape, on every instruction set, against a double-precision convolution: tails, padding,
// strides, dilation, groups, transposed, plain input, slices of a wider output, epilogues, tasks in two ranges.
#include "kernels/cpu/conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/cpu/isa_test.h"
#include "kernels/cpu/winograd.h"

namespace narae::cpu {
namespace {

// NCHW in double precision.
std::vector<double> reference(const ConvShape& s, const std::vector<float>& in, const std::vector<float>& w) {
  std::vector<double> out(s.n * s.oc * s.oh * s.ow, 0.0);
  const int64_t groups = s.groups * s.merged, gi = s.ic / groups, go = s.oc / groups;
  for (int64_t n = 0; n < s.n; ++n)
    for (int64_t o = 0; o < s.oc; ++o)
      for (int64_t i = 0; i < gi; ++i) {
        const int64_t g = o / go, c = g * gi + i;
        for (int64_t a = 0; a < s.kh; ++a)
          for (int64_t b = 0; b < s.kw; ++b) {
            const float weight =
                s.transposed ? w[((c * go + o % go) * s.kh + a) * s.kw + b] : w[((o * gi + i) * s.kh + a) * s.kw + b];
            // (small, large): the strided side and the other one.
            const int64_t rows = s.transposed ? s.ih : s.oh, columns = s.transposed ? s.iw : s.ow;
            const int64_t rows2 = s.transposed ? s.oh : s.ih, columns2 = s.transposed ? s.ow : s.iw;
            for (int64_t y = 0; y < rows; ++y) {
              const int64_t y2 = y * s.stride_h - s.pad_top + a * s.dilation_h;
              if (y2 < 0 || y2 >= rows2) continue;
              for (int64_t x = 0; x < columns; ++x) {
                const int64_t x2 = x * s.stride_w - s.pad_left + b * s.dilation_w;
                if (x2 < 0 || x2 >= columns2) continue;
                const int64_t iy = s.transposed ? y : y2, ix = s.transposed ? x : x2;
                const int64_t oy = s.transposed ? y2 : y, ox = s.transposed ? x2 : x;
                out[((n * s.oc + o) * s.oh + oy) * s.ow + ox] +=
                    double(in[((n * s.ic + c) * s.ih + iy) * s.iw + ix]) * weight;
              }
            }
          }
      }
  return out;
}

// [n][block][pixel][lanes], zeros in the channel tail, each image `batch` floats apart.
std::vector<float> blocked(const std::vector<float>& in, int64_t n, int64_t c, int64_t pixels, int lanes,
                           int64_t batch) {
  std::vector<float> out(n * batch, 0.f);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k < c; ++k)
      for (int64_t p = 0; p < pixels; ++p)
        out[i * batch + (k / lanes * pixels + p) * lanes + k % lanes] = in[(i * c + k) * pixels + p];
  return out;
}

struct Extra {
  bool epilogue = false, slice = false;
  Act act = Act::none;
};

struct Counted {
  const ConvShape* shape;
  std::vector<int> seen;
};

// Doubles the tile and counts how often each element was handed out.
void doubled(void* context, const HotTile& t) {
  Counted& counted = *static_cast<Counted*>(context);
  const ConvShape& s = *counted.shape;
  for (int64_t r = 0; r < t.rows; ++r)
    for (int64_t c = 0; c < t.columns; ++c) {
      t.data[r * t.row_stride + c] *= 2.f;
      ++counted.seen[(t.image * s.oc + t.column + c) * s.oh * s.ow + t.row + r];
    }
}

void check_config(const ConvShape& s, const ConvConfig& config, const BrgemmTiles& tiles, const Extra& extra,
                  const std::vector<float>& input, const std::vector<float>& weights,
                  const std::vector<double>& expected) {
  const int lanes = tiles.lanes;
  const int64_t pixels = s.oh * s.ow, blocks = ceil_div(s.oc, lanes);
  Random random(23);
  std::vector<float> bias = random.vector(s.oc), plain_residual = random.vector(s.n * s.oc * pixels);
  const std::vector<float> residual = blocked(plain_residual, s.n, s.oc, pixels, lanes, blocks * pixels * lanes);
  bias.resize(blocks * lanes, 0.f);
  ConvShape shape = s;
  // A slice: one block of others' channels before and after.
  const int64_t before = extra.slice ? pixels * lanes : 0;
  if (extra.slice) shape.out_batch = (blocks + 2) * pixels * lanes;
  const ConvPlan plan = make_conv_plan(shape, config, tiles);
  std::vector<float> packed(conv_weights_size(plan)), scratch(conv_scratch(plan), NAN);
  conv_pack_weights(plan, weights.data(), packed.data());
  std::vector<float> out(s.n * plan.shape.out_batch, -7.f);
  Counted counted{&s, std::vector<int>(s.n * s.oc * pixels, 0)};
  ConvEpilogue e;
  e.act = extra.act, e.lo = 0.25f, e.hi = 1.f;
  if (extra.epilogue) {
    e.bias = bias.data(), e.residual = residual.data();
    e.after = {doubled, &counted};
  }
  const int64_t tasks = conv_tasks(plan), middle = (tasks + 1) / 2;
  conv_run(plan, input.data(), packed.data(), out.data() + before, e, scratch.data(), middle, tasks);
  conv_run(plan, input.data(), packed.data(), out.data() + before, e, scratch.data(), 0, middle);
  const bool exact = config.algorithm < ConvAlgorithm::winograd2x2;
  double error = 0, norm = 1e-30;
  for (int64_t n = 0; n < s.n; ++n) {
    const float* image = out.data() + n * plan.shape.out_batch;
    for (int64_t i = 0; extra.slice && i < pixels * lanes; ++i)
      ASSERT_TRUE(image[i] == -7.f && image[(blocks + 1) * pixels * lanes + i] == -7.f) << "wrote beside the slice";
    for (int64_t k = 0; k < blocks * lanes; ++k) {
      for (int64_t p = 0; p < pixels; ++p) {
        const float got = image[before + (k / lanes * pixels + p) * lanes + k % lanes];
        if (k >= s.oc) {
          ASSERT_EQ(got, 0.f) << "padding lane " << k << " pixel " << p;
          continue;
        }
        const int64_t at = (n * s.oc + k) * pixels + p;
        double x = expected[at];
        if (extra.epilogue) x += bias[k] + plain_residual[at];
        if (extra.act == Act::relu) x = std::max(x, 0.0);
        if (extra.act == Act::clip) x = std::min(std::max(x, 0.25), 1.0);
        if (extra.epilogue) x *= 2;
        ASSERT_TRUE(std::isfinite(got)) << "n " << n << " channel " << k << " pixel " << p;
        error += (got - x) * (got - x), norm += x * x;
        if (extra.epilogue) {
          ASSERT_EQ(counted.seen[at], 1) << "callback";
        }
      }
    }
  }
  const double relative = std::sqrt(error / norm);
  EXPECT_LE(relative, exact                                            ? 1e-6
                      : config.algorithm == ConvAlgorithm::winograd2x2 ? 2e-6
                                                                       : 1e-5)
      << "algorithm " << int(config.algorithm) << " nv " << config.nv << " band " << config.band << " oc_panels "
      << config.oc_panels << " ic_blocks " << config.ic_blocks;
}

void check(const std::string& isa, const ConvShape& s, const Extra& extra = {}) {
  const BrgemmTiles& tiles = *brgemm_tiles(isa);
  Random random(17);
  const std::vector<float> in = random.vector(s.n * s.ic * s.ih * s.iw);
  const std::vector<float> weights = random.vector(s.oc * (s.ic / (s.groups * s.merged)) * s.kh * s.kw);
  const std::vector<double> expected = reference(s, in, weights);
  const int64_t batch = ceil_div(s.ic, tiles.lanes) * tiles.lanes * s.ih * s.iw;
  const std::vector<float> input = s.plain_input ? in : blocked(in, s.n, s.ic, s.ih * s.iw, tiles.lanes, batch);
  int64_t tried = 0;
  for (const CacheSizes& caches : {CacheSizes{}, CacheSizes{4 << 10, 16 << 10}}) {
    for (const int threads : {1, 2}) {
      for (const ConvConfig& config : conv_configs(s, tiles, caches, threads)) {
        check_config(s, config, tiles, extra, input, weights, expected);
        ++tried;
        if (testing::Test::HasFailure()) return;
      }
    }
  }
  EXPECT_GE(tried, 4);
}

ConvShape shape(int64_t ic, int64_t size, int64_t oc, int64_t k, int64_t stride = 1, int64_t pad = 0) {
  ConvShape s;
  s.ic = ic, s.ih = size, s.iw = size + 1, s.oc = oc, s.kh = s.kw = k, s.stride_h = s.stride_w = stride;
  s.pad_top = s.pad_left = pad;
  s.oh = conv_extent(s.ih, k, stride, 1, 2 * pad), s.ow = conv_extent(s.iw, k, stride, 1, 2 * pad);
  return s;
}

class Conv : public IsaTest {};

TEST_P(Conv, pointwise) {
  check(GetParam(), shape(48, 7, 80, 1), {.epilogue = true, .act = Act::relu});
  ConvShape s = shape(21, 9, 35, 1);  // tails on both sides
  s.n = 2;
  check(GetParam(), s, {.epilogue = true, .slice = true, .act = Act::clip});
  check(GetParam(), shape(5, 3, 7, 1), {.act = Act::clip});
}

TEST_P(Conv, direct) {
  check(GetParam(), shape(32, 14, 48, 3, 1, 1), {.epilogue = true, .slice = true, .act = Act::relu});
  check(GetParam(), shape(19, 11, 21, 3, 2, 1));
  check(GetParam(), shape(16, 10, 32, 3, 1, 0), {.epilogue = true});
  check(GetParam(), shape(16, 8, 64, 1, 2, 0));
  check(GetParam(), shape(20, 9, 16, 5, 1, 2));
  check(GetParam(), shape(33, 5, 70, 3, 2, 0));
}

TEST_P(Conv, three_by_three_also_by_winograd) {
  ConvShape s = shape(40, 13, 72, 3, 1, 1);
  s.n = 3;
  check(GetParam(), s, {.epilogue = true, .slice = true, .act = Act::relu});
  s = shape(16, 7, 16, 3, 1, 1);
  s.oh -= 1, s.ow -= 2;  // less padding below and to the right
  check(GetParam(), s, {.act = Act::clip});
  const auto configs = conv_configs(s, *brgemm_tiles(GetParam()), {}, 1);
  for (const ConvAlgorithm a : {ConvAlgorithm::direct, ConvAlgorithm::winograd2x2, ConvAlgorithm::winograd4x4})
    EXPECT_TRUE(std::any_of(configs.begin(), configs.end(), [a](const ConvConfig& c) { return c.algorithm == a; }));
}

TEST_P(Conv, odd_geometry) {
  ConvShape s = shape(16, 12, 32, 3);
  s.n = 2, s.kw = 1, s.dilation_h = 2, s.pad_top = 2, s.pad_left = 0, s.stride_w = 2;
  s.oh = conv_extent(s.ih, 3, 1, 2, 3), s.ow = conv_extent(s.iw, 1, 2, 1, 0);
  check(GetParam(), s, {.epilogue = true});
  s = shape(16, 6, 16, 3);
  s.dilation_h = s.dilation_w = 3, s.pad_top = s.pad_left = 3, s.oh = s.ih, s.ow = s.iw;
  check(GetParam(), s);
  s = shape(16, 4, 16, 3, 1, 3);  // padding wider than the kernel reaches
  check(GetParam(), s);
  s = shape(8, 1, 24, 3, 1, 1);
  check(GetParam(), s, {.act = Act::clip});
}

TEST_P(Conv, few_channels_from_plain_input) {
  ConvShape s = shape(3, 23, 24, 7, 2, 3);
  s.plain_input = true, s.n = 2;
  check(GetParam(), s, {.epilogue = true, .slice = true, .act = Act::relu});
  s = shape(1, 12, 40, 3, 1, 0);
  s.plain_input = true;
  check(GetParam(), s);
  s = shape(4, 12, 16, 3, 1, 2);
  s.plain_input = true, s.dilation_w = s.dilation_h = 2, s.oh = s.ih, s.ow = s.iw;
  check(GetParam(), s, {.epilogue = true});
}

TEST_P(Conv, groups_of_whole_blocks) {
  ConvShape s = shape(64, 9, 96, 3, 1, 1);
  s.groups = 2, s.n = 2;
  check(GetParam(), s, {.epilogue = true, .act = Act::relu});
  s = shape(48, 8, 48, 3, 2, 1);
  s.groups = 3;
  check(GetParam(), s);
  s = shape(32, 6, 32, 1);
  s.groups = 2;
  check(GetParam(), s);
}

TEST_P(Conv, groups_merged_into_one) {
  ConvShape s = shape(51, 9, 34, 3, 1, 1);
  s.merged = 17, s.n = 2;
  check(GetParam(), s, {.epilogue = true, .act = Act::relu});
  s = shape(24, 6, 68, 1);
  s.merged = 4;
  check(GetParam(), s);
  s = shape(6, 8, 12, 3, 2, 1);
  s.merged = 3;
  check(GetParam(), s);
}

ConvShape transposed(int64_t ic, int64_t size, int64_t oc, int64_t k, int64_t stride, int64_t pad, int64_t more) {
  ConvShape s = shape(ic, size, oc, k, stride, pad);
  s.transposed = true;
  s.oh = (s.ih - 1) * stride - 2 * pad + k + more, s.ow = (s.iw - 1) * stride - 2 * pad + k + more;
  return s;
}

TEST_P(Conv, transposed) {
  check(GetParam(), transposed(24, 6, 40, 2, 2, 0, 0), {.epilogue = true, .slice = true, .act = Act::relu});
  check(GetParam(), transposed(16, 5, 20, 3, 2, 1, 1), {.epilogue = true});
  check(GetParam(), transposed(16, 5, 16, 4, 2, 1, 0));
  check(GetParam(), transposed(17, 4, 16, 1, 2, 0, 0));  // phases without taps
  check(GetParam(), transposed(16, 5, 16, 3, 1, 1, 0));
  ConvShape s = transposed(32, 5, 32, 3, 3, 0, 0);
  s.groups = 2, s.n = 2;
  check(GetParam(), s);
  s = transposed(6, 5, 10, 3, 2, 1, 1);
  s.merged = 2;
  check(GetParam(), s);
  s = transposed(16, 5, 16, 3, 2, 0, 0);
  s.dilation_h = s.dilation_w = 2, s.oh = (s.ih - 1) * 2 + 5, s.ow = (s.iw - 1) * 2 + 5;
  check(GetParam(), s);
}

TEST_P(Conv, refuses_what_it_cannot_do) {
  const BrgemmTiles& tiles = *brgemm_tiles(GetParam());
  ConvShape s = shape(6, 8, 6, 3, 1, 1);
  s.groups = 3;
  EXPECT_TRUE(conv_configs(s, tiles, {}, 1).empty());
  s.groups = 1, s.plain_input = s.transposed = true;
  EXPECT_TRUE(conv_configs(s, tiles, {}, 1).empty());
}

INSTANTIATE_TEST_SUITE_P(Isas, Conv, testing::ValuesIn(known_isas()), isa_name);

}  // namespace
}  // namespace narae::cpu
