// SPDX-License-Identifier: Apache-2.0
// Times the batch-reduce GEMM tiles alone: GFLOP/s and the share of the register-only multiply-add peak.
// usage: brgemm_bench [ISA] [CORE]
#include <cstdio>
#include <cstdlib>
#include <string>

#include "kernels/cpu/cpu_features.h"
#include "timing.h"

namespace narae::bench {
namespace {

// A and B are walked as a convolution walks them (k = channel block, many batch items) and as a GEMM does (one item).
double tile_rate(const cpu::BrgemmTiles& tiles, int m, int nv, int64_t k, int64_t batch, int64_t row_tiles) {
  const int64_t nr = nv * tiles.lanes;
  const std::vector<float> a = random_floats(row_tiles * m * k * batch, 1), b = random_floats(k * batch * nr, 2);
  std::vector<float> c(row_tiles * m * nr);
  cpu::BrgemmArgs args;
  args.lda = k, args.a_stride = row_tiles * m * k, args.b = b.data(), args.b_stride = k * nr;
  args.batch = batch, args.k = k, args.ldc = nr, args.c_vec_stride = tiles.lanes;
  const double seconds = best_time(
      [&] {
        for (int64_t t = 0; t < row_tiles; ++t) {
          args.a = a.data() + t * m * k;
          args.c = c.data() + t * m * nr;
          tiles.run(m, nv, args);
        }
      },
      5, 0.002);
  return 2.0 * row_tiles * m * nr * k * batch / seconds;
}

int run(const std::string& isa) {
  const cpu::BrgemmTiles* tiles = cpu::brgemm_tiles(isa);
  if (!tiles || !cpu::supports_isa(cpu::detect_cpu_features(), isa)) {
    std::fprintf(stderr, "this machine has no %s\n", isa.c_str());
    return 2;
  }
  std::printf("isa %s, peak %.1f GFLOP/s\n", isa.c_str(), peak_rate(*tiles) / 1e9);
  std::printf("%-8s %22s %22s %22s %22s\n", "tile", "block x4 (1 tile)", "block x16 (8 tiles)", "k64 (8 tiles)",
              "k256 (16 tiles)");
  for (int nv = 1; nv <= tiles->max_vectors; ++nv) {
    for (int m = 1; m <= tiles->max_rows[nv - 1]; ++m) {
      std::printf("%2d x %d   ", m, nv);
      const int64_t lanes = tiles->lanes;
      const int64_t cases[4][3] = {{lanes, 64 / lanes, 1}, {lanes, 256 / lanes, 8}, {64, 1, 8}, {256, 1, 16}};
      for (const auto& t : cases) {
        const double peak = peak_rate(*tiles), rate = tile_rate(*tiles, m, nv, t[0], t[1], t[2]);
        std::printf(" %10.1f (%5.1f %%)    ", rate / 1e9, 100 * rate / peak);
      }
      std::printf("\n");
    }
  }
  return 0;
}

}  // namespace
}  // namespace narae::bench

int main(int argc, char** argv) {
  narae::bench::pin(argc > 2 ? std::atoi(argv[2]) : 0);
  return narae::bench::run(argc > 1 ? argv[1] : narae::cpu::best_isa(narae::cpu::detect_cpu_features()));
}
