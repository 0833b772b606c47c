// SPDX-License-Identifier: Apache-2.0
// Spread transposed convolution against the definition: channel tails, one and many output channels, panels that end in
// a kernel row, 1-D, several images, tasks in two ranges.
#include "kernels/cpu/conv_spread.h"

#include <cmath>

#include "kernels/cpu/isa_test.h"
#include "kernels/cpu/pack.h"

namespace narae::cpu {
namespace {

std::vector<float> blocked(const std::vector<float>& x, int64_t n, int64_t channels, int64_t pixels, int64_t lanes) {
  std::vector<float> out(n * round_up(channels, lanes) * pixels, 0.f);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < pixels; ++p) {
        out[((i * ceil_div(channels, lanes) + c / lanes) * pixels + p) * lanes + c % lanes] =
            x[(i * channels + c) * pixels + p];
      }
    }
  }
  return out;
}

using Spread = IsaTest;

void check(const std::string& isa, const SpreadShape& s, bool bias, Act act) {
  SCOPED_TRACE(testing::Message() << "ic " << s.ic << " oc " << s.oc << " k " << s.kh << "x" << s.kw << " image " << s.n
                                  << "x" << s.ih << "x" << s.iw);
  const BrgemmTiles& tiles = *brgemm_tiles(isa);
  Random random(7);
  const std::vector<float> x = random.vector(s.n * s.ic * s.ih * s.iw), w = random.vector(s.ic * s.oc * s.kh * s.kw),
                           b = random.vector(s.oc);
  const int64_t columns = s.oc * s.kh * s.kw, oh = s.ih * s.kh, ow = s.iw * s.kw;
  std::vector<float> packed(spread_weights_size(s.ic, columns, tiles));
  spread_pack_weights(s.ic, columns, w.data(), tiles, packed.data());
  const SpreadPlan plan = make_spread_plan(s, tiles);
  const std::vector<float> in = blocked(x, s.n, s.ic, s.ih * s.iw, tiles.lanes);
  std::vector<float> out(s.n * s.oc * oh * ow, NAN), scratch(spread_scratch(plan), NAN);
  const SpreadEpilogue epilogue{bias ? b.data() : nullptr, act};
  const int64_t tasks = spread_tasks(plan);
  spread_run(plan, in.data(), packed.data(), out.data(), epilogue, scratch.data(), 0, tasks / 2);
  spread_run(plan, in.data(), packed.data(), out.data(), epilogue, scratch.data(), tasks / 2, tasks);
  double worst = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(out.size()); ++i) {
    const int64_t ox = i % ow, oy = i / ow % oh, o = i / (ow * oh) % s.oc, image = i / (ow * oh * s.oc);
    double sum = bias ? b[o] : 0.f;
    for (int64_t c = 0; c < s.ic; ++c) {
      sum += static_cast<double>(x[((image * s.ic + c) * s.ih + oy / s.kh) * s.iw + ox / s.kw]) *
             w[((c * s.oc + o) * s.kh + oy % s.kh) * s.kw + ox % s.kw];
    }
    if (act == Act::relu) sum = std::max(sum, 0.0);
    const double error = std::abs(out[i] - sum);
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
  }
  EXPECT_LT(worst, 1e-4);
}

TEST_P(Spread, matches_the_definition) {
  check(GetParam(), {1, 24, 33, 40, 1, 2, 2}, true, Act::none);
  check(GetParam(), {2, 16, 5, 7, 3, 2, 2}, false, Act::relu);
  check(GetParam(), {1, 5, 3, 9, 21, 3, 3}, true, Act::relu);  // panels end in a kernel row
  check(GetParam(), {1, 33, 1, 50, 40, 1, 4}, true, Act::none);
  check(GetParam(), {1, 8, 2, 3, 7, 5, 6}, true, Act::none);
  check(GetParam(), {1, 1, 1, 1, 1, 1, 1}, false, Act::none);
  check(GetParam(), {1, 17, 2, 700, 20, 2, 2}, true, Act::none);  // one row is more than a band ought to hold
}

INSTANTIATE_TEST_SUITE_P(Isas, Spread, testing::ValuesIn(known_isas()), isa_name);

}  // namespace
}  // namespace narae::cpu
