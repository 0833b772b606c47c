// SPDX-License-Identifier: Apache-2.0
// Times every config of each convolution of ResNet-50 (and a few of other networks) on one core: GFLOP/s of the direct
// method's operations and the share of the register-only multiply-add peak; above 100 % only Winograd can be.
// usage: conv_bench [ISA] [CORE] [first|all|LAYER-SUBSTRING]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "kernels/cpu/conv.h"
#include "kernels/cpu/cpu_features.h"
#include "timing.h"

namespace narae::bench {
namespace {

struct Layer {
  const char* name;
  int64_t ic, size, oc, k, stride, pad, count;
  bool plain = false, transposed = false;
};

// count: how often ResNet-50 has it.
const Layer layers[] = {
    {"rn50 conv1", 3, 224, 64, 7, 2, 3, 1, true},
    {"rn50 2a", 64, 56, 64, 1, 1, 0, 1},
    {"rn50 2b", 64, 56, 64, 3, 1, 1, 3},
    {"rn50 2c", 64, 56, 256, 1, 1, 0, 4},
    {"rn50 2a'", 256, 56, 64, 1, 1, 0, 2},
    {"rn50 3a", 256, 56, 128, 1, 1, 0, 1},
    {"rn50 3b s2", 128, 56, 128, 3, 2, 1, 1},
    {"rn50 3 short", 256, 56, 512, 1, 2, 0, 1},
    {"rn50 3c", 128, 28, 512, 1, 1, 0, 4},
    {"rn50 3a'", 512, 28, 128, 1, 1, 0, 3},
    {"rn50 3b", 128, 28, 128, 3, 1, 1, 3},
    {"rn50 4a", 512, 28, 256, 1, 1, 0, 1},
    {"rn50 4b s2", 256, 28, 256, 3, 2, 1, 1},
    {"rn50 4 short", 512, 28, 1024, 1, 2, 0, 1},
    {"rn50 4c", 256, 14, 1024, 1, 1, 0, 6},
    {"rn50 4a'", 1024, 14, 256, 1, 1, 0, 5},
    {"rn50 4b", 256, 14, 256, 3, 1, 1, 5},
    {"rn50 5a", 1024, 14, 512, 1, 1, 0, 1},
    {"rn50 5b s2", 512, 14, 512, 3, 2, 1, 1},
    {"rn50 5 short", 1024, 14, 2048, 1, 2, 0, 1},
    {"rn50 5c", 512, 7, 2048, 1, 1, 0, 3},
    {"rn50 5a'", 2048, 7, 512, 1, 1, 0, 2},
    {"rn50 5b", 512, 7, 512, 3, 1, 1, 2},
    {"mbv2 first", 3, 224, 32, 3, 2, 1, 0, true},
    {"mbv2 pw", 16, 112, 96, 1, 1, 0, 0},
    {"mbv2 pw2", 144, 56, 24, 1, 1, 0, 0},
    {"mbv3 24>72", 24, 56, 72, 1, 1, 0, 0},
    {"mbv3 72>40", 72, 28, 40, 1, 1, 0, 0},
    {"mbv3 120>40", 120, 28, 40, 1, 1, 0, 0},
    {"det 3x3", 96, 160, 24, 3, 1, 1, 0},
    {"det up", 24, 160, 24, 2, 2, 0, 0, false, true},
};

struct Total {
  double seconds = 0, flops = 0, peak_seconds = 0;
};

void time_layer(const Layer& l, const cpu::BrgemmTiles& tiles, const cpu::CacheSizes& caches, const std::string& mode,
                Total& total) {
  cpu::ConvShape s;
  s.ic = l.ic, s.ih = s.iw = l.size, s.oc = l.oc, s.kh = s.kw = l.k, s.stride_h = s.stride_w = l.stride;
  s.pad_top = s.pad_left = l.pad, s.plain_input = l.plain, s.transposed = l.transposed;
  s.oh = s.ow = l.transposed ? l.size * l.stride : cpu::conv_extent(l.size, l.k, l.stride, 1, 2 * l.pad);
  const int64_t lanes = tiles.lanes;
  const std::vector<float> in = random_floats(cpu::round_up(l.ic, lanes) * l.size * l.size, 1);
  const std::vector<float> weights = random_floats(l.ic * l.oc * l.k * l.k, 2);
  const std::vector<float> bias = random_floats(cpu::round_up(l.oc, lanes), 3);
  std::vector<float> out(cpu::round_up(l.oc, lanes) * s.oh * s.ow);
  const double flops = 2.0 * l.ic * l.oc * l.k * l.k * (l.transposed ? l.size * l.size : s.oh * s.ow);
  std::string first, best;
  double best_seconds = 1e9, first_peak = 0;
  for (const cpu::ConvConfig& config : cpu::conv_configs(s, tiles, caches, 1)) {
    const cpu::ConvPlan plan = cpu::make_conv_plan(s, config, tiles);
    std::vector<float> packed(cpu::conv_weights_size(plan)), scratch(cpu::conv_scratch(plan));
    cpu::conv_pack_weights(plan, weights.data(), packed.data());
    cpu::ConvEpilogue e;
    e.bias = bias.data(), e.act = cpu::Act::relu;
    const double peak = peak_rate(tiles);
    const double seconds = best_time(
        [&] { cpu::conv_run(plan, in.data(), packed.data(), out.data(), e, scratch.data(), 0, cpu::conv_tasks(plan)); },
        5, 0.005);
    const char* names[] = {"pointwise", "direct", "wino2x2", "wino4x4"};
    char line[200];
    std::snprintf(line, sizeof line, "%-13s %-9s nv %d band %4ld panels %2ld ic %3ld  %9.1f us %7.1f GFLOP/s %5.1f %%",
                  l.name, names[int(config.algorithm)], config.nv, long(config.band), long(config.oc_panels),
                  long(config.ic_blocks), seconds * 1e6, flops / seconds / 1e9, 100 * flops / seconds / peak);
    if (mode != "first" && mode != "best") std::printf("  %s\n", line);
    if (first.empty()) first = line;
    if (seconds < best_seconds) best = line, best_seconds = seconds, first_peak = peak;
    if (mode == "first") break;
  }
  if (first != best) std::printf("%s   (first)\n", first.c_str());
  std::printf("%s\n", best.c_str());
  total.seconds += l.count * best_seconds, total.flops += l.count * flops;
  total.peak_seconds += l.count * flops / first_peak;
}

int run(const std::string& isa, const std::string& mode) {
  const cpu::CpuFeatures features = cpu::detect_cpu_features();
  const cpu::BrgemmTiles* tiles = cpu::brgemm_tiles(isa);
  if (!tiles || !cpu::supports_isa(features, isa)) {
    std::fprintf(stderr, "this machine has no %s\n", isa.c_str());
    return 2;
  }
  const cpu::CacheSizes caches{features.l1d_bytes, features.l2_bytes};
  std::printf("isa %s, peak %.1f GFLOP/s\n", isa.c_str(), peak_rate(*tiles) / 1e9);
  Total total;
  const bool all = mode == "first" || mode == "best" || mode == "all";
  for (const Layer& l : layers)
    if (all || std::strstr(l.name, mode.c_str())) time_layer(l, *tiles, caches, mode, total);
  if (all)
    std::printf("ResNet-50: %.2f ms for its convolutions, %.1f GFLOP/s, %.1f %% of peak\n", total.seconds * 1e3,
                total.flops / total.seconds / 1e9, 100 * total.peak_seconds / total.seconds);
  return 0;
}

}  // namespace
}  // namespace narae::bench

int main(int argc, char** argv) {
  narae::bench::pin(argc > 2 ? std::atoi(argv[2]) : 0);
  return narae::bench::run(argc > 1 ? argv[1] : narae::cpu::best_isa(narae::cpu::detect_cpu_features()),
                           argc > 3 ? argv[3] : "best");
}
