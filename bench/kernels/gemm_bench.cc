// SPDX-License-Identifier: Apache-2.0
// Times every config of the GEMM driver on one core for shapes of BERT, ViT, classifiers and attention: GFLOP/s and the
// share of the register-only multiply-add peak; GB/s of B where there are few rows. usage: gemm_bench [ISA] [CORE]
#include <cstdio>
#include <cstdlib>
#include <string>

#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/pack.h"
#include "timing.h"

namespace narae::bench {
namespace {

// Prints the first config, the default, and the fastest.
class Best {
 public:
  void add(const char* what, const cpu::GemmShape& s, const cpu::GemmConfig& c, double seconds, double flops,
           double peak) {
    char line[200];
    std::snprintf(line, sizeof line,
                  "%-6s %5ld x %5ld x %5ld  mc %4ld nc %4ld kc %4ld nv %d copy %d  %9.1f us %7.1f GFLOP/s %5.1f %%  B "
                  "%5.1f GB/s",
                  what, long(s.m), long(s.n), long(s.k), long(c.mc), long(c.nc), long(c.kc), c.nv, c.copy_a,
                  seconds * 1e6, flops / seconds / 1e9, 100 * flops / seconds / peak, 4e-9 * s.n * s.k / seconds);
    if (first_.empty()) first_ = line;
    if (best_.empty() || seconds < seconds_) best_ = line, seconds_ = seconds;
  }
  void print() const { std::printf("%s\n%s\n", first_.c_str(), first_ == best_ ? "" : best_.c_str()); }

 private:
  std::string first_, best_;
  double seconds_ = 0;
};

void time_gemm(const cpu::BrgemmTiles& tiles, const cpu::CacheSizes& caches, const cpu::GemmShape& s) {
  const std::vector<float> a = random_floats(s.m * s.k, 1), b = random_floats(s.n * s.k, 2);
  std::vector<float> c(s.m * s.n), packed(cpu::packed_b_size(s.k, s.n, tiles.lanes));
  Best best;
  for (const cpu::GemmConfig& config : cpu::gemm_configs(s, tiles, caches, 1)) {
    const int nr = config.nv * tiles.lanes;
    cpu::pack_b(b.data(), s.n, false, s.k, s.n, nr, tiles.lanes, 1.f, 0, cpu::ceil_div(s.n, nr), packed.data());
    std::vector<float> scratch(cpu::gemm_scratch(s, config));
    const double peak = peak_rate(tiles);
    const double seconds = best_time([&] {
      cpu::gemm_run(tiles, s, config, a.data(), s.k, packed.data(), c.data(), s.n, {}, scratch.data(), 0,
                    cpu::gemm_tasks(s, config));
    });
    best.add("gemm", s, config, seconds, 2.0 * s.m * s.n * s.k, peak);
  }
  best.print();
}

void time_batched(const cpu::BrgemmTiles& tiles, const cpu::CacheSizes& caches, const cpu::GemmShape& s, bool nt) {
  cpu::BatchedGemm g;
  g.shape = s, g.inner = 12, g.b_transposed = nt;
  g.lda = s.k, g.ldb = nt ? s.k : s.n, g.ldc = s.n;
  g.a_stride[1] = s.m * s.k, g.b_stride[1] = s.n * s.k, g.c_stride[1] = s.m * s.n;
  const std::vector<float> a = random_floats(g.inner * s.m * s.k, 1), b = random_floats(g.inner * s.n * s.k, 2);
  std::vector<float> c(g.inner * s.m * s.n);
  Best best;
  for (const cpu::GemmConfig& config : cpu::batched_gemm_configs(g, tiles, caches, 1)) {
    std::vector<float> scratch(cpu::batched_gemm_scratch(g, config, tiles.lanes));
    const double peak = peak_rate(tiles);
    const double seconds = best_time([&] {
      cpu::batched_gemm_run(tiles, g, config, a.data(), b.data(), c.data(), {}, scratch.data(), 0,
                            cpu::batched_gemm_tasks(g, config));
    });
    best.add(nt ? "12 NT" : "12 NN", s, config, seconds, 2.0 * g.inner * s.m * s.n * s.k, peak);
  }
  best.print();
}

int run(const std::string& isa) {
  const cpu::CpuFeatures features = cpu::detect_cpu_features();
  const cpu::BrgemmTiles* tiles = cpu::brgemm_tiles(isa);
  if (!tiles || !cpu::supports_isa(features, isa)) {
    std::fprintf(stderr, "this machine has no %s\n", isa.c_str());
    return 2;
  }
  const cpu::CacheSizes caches{features.l1d_bytes, features.l2_bytes};
  std::printf("isa %s, peak %.1f GFLOP/s\n", isa.c_str(), peak_rate(*tiles) / 1e9);
  for (const cpu::GemmShape& s : {cpu::GemmShape{128, 768, 768},
                                  {128, 2304, 768},
                                  {128, 3072, 768},
                                  {128, 768, 3072},
                                  {197, 768, 768},
                                  {128, 1024, 1024},
                                  {512, 512, 512},
                                  {1, 1000, 2048},
                                  {4, 1000, 2048},
                                  {16, 768, 768},
                                  {40, 6625, 120}})
    time_gemm(*tiles, caches, s);
  time_batched(*tiles, caches, {128, 128, 64}, true);
  time_batched(*tiles, caches, {128, 64, 128}, false);
  time_batched(*tiles, caches, {197, 197, 64}, true);
  time_batched(*tiles, caches, {197, 64, 197}, false);
  return 0;
}

}  // namespace
}  // namespace narae::bench

int main(int argc, char** argv) {
  narae::bench::pin(argc > 2 ? std::atoi(argv[2]) : 0);
  return narae::bench::run(argc > 1 ? argv[1] : narae::cpu::best_isa(narae::cpu::detect_cpu_features()));
}
