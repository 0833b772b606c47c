// SPDX-License-Identifier: Apache-2.0
// Times products with packed blocks for shapes of language models: GB/s of the weights and GOP/s, beside the byte dot
// product and read peaks. One pinned thread for each core given; the weights of several layers rotate, so that few rows
// stream from memory. usage: block_gemm_bench [ISA] [CORES]
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "kernels/cpu/block_gemm.h"
#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/pack.h"
#include "kernels/cpu/peaks.h"
#include "timing.h"

namespace narae::bench {
namespace {

struct Case {
  BlockFormat format;
  int64_t n, k;
};

// Seconds of one product, the least of several rounds over all copies of the weights: processor time of the thread that
// took longest.
double time_case(const cpu::BlockGemmKernels& kernels, const cpu::BlockGemmShape& s, const uint8_t* packed,
                 int64_t copies, int threads) {
  const cpu::CpuFeatures features = cpu::detect_cpu_features();
  const cpu::BlockGemmPlan plan = cpu::block_gemm_plan(s, {features.l1d_bytes, features.l2_bytes}, threads);
  const int64_t bytes = cpu::packed_blocks_bytes(s.form, s.n, s.k), tasks = cpu::block_gemm_tasks(s, plan);
  const std::vector<float> a = random_floats(s.m * s.k, 1);
  std::vector<uint8_t> rows(static_cast<size_t>(cpu::quantised_bytes(s.form, s.m, s.k)));
  kernels.quantise(s.form, a.data(), s.k, s.m, s.k, rows.data());
  std::vector<float> c(static_cast<size_t>(s.m * s.n));
  const void* operand = s.int8 ? static_cast<const void*>(rows.data()) : a.data();
  double best = 1e9;
  for (int round = 0; round < 4; ++round) {
    std::vector<std::thread> pool;
    std::vector<double> taken(static_cast<size_t>(threads));
    for (int t = 0; t < threads; ++t) {
      pool.emplace_back([&, t] {
        if (threads > 1) pin(t);
        std::vector<float> scratch(static_cast<size_t>(cpu::block_gemm_scratch(s)) + 1);
        const double start = now();
        for (int64_t copy = 0; copy < copies; ++copy) {
          cpu::block_gemm_run(kernels, s, plan, operand, packed + copy * bytes, c.data(), {}, scratch.data(),
                              tasks * t / threads, tasks * (t + 1) / threads);
        }
        taken[static_cast<size_t>(t)] = now() - start;
      });
    }
    for (std::thread& thread : pool) thread.join();
    best = std::min(best, *std::max_element(taken.begin(), taken.end()) / static_cast<double>(copies));
  }
  return best;
}

int run(const std::string& isa, int threads) {
  const cpu::BlockGemmKernels* kernels = cpu::block_gemm_kernels(isa);
  if (!kernels || !cpu::supports_isa(cpu::detect_cpu_features(), isa)) {
    std::fprintf(stderr, "this machine has no %s, or there are no kernels for it\n", isa.c_str());
    return 2;
  }
  const cpu::PeakLoops loops = cpu::peak_loops(isa);
  for (const Case& c : {Case{BlockFormat::q4_1, 1536, 576},
                        {BlockFormat::q4_0, 8192, 2048},
                        {BlockFormat::q8_0, 49152, 576},
                        {BlockFormat::q4_k, 4096, 2048},
                        {BlockFormat::q6_k, 4096, 2048}}) {
    const cpu::BlockForm form = cpu::block_form(c.format);
    const int64_t bytes = cpu::packed_blocks_bytes(form, c.n, c.k);
    const int64_t copies = std::max<int64_t>(1, (int64_t{192} << 20) / bytes);
    uint8_t* packed =
        static_cast<uint8_t*>(std::aligned_alloc(2 << 20, static_cast<size_t>(cpu::round_up(copies * bytes, 2 << 20))));
    for (int64_t i = 0; i < copies * bytes; ++i) packed[i] = static_cast<uint8_t>(i * 37 >> 3 & 0x2f);
    for (const int64_t m : {1, 2, 4, 8, 12, 64, 512}) {
      for (const bool int8 : {true, false}) {
        if (!int8 && m != 1 && m != 64) continue;
        if (m >= 64 && c.n > 10000) continue;
        double peak = 0;
        if (loops.int8) {
          const double start = now();
          peak = loops.int8(100000) / (now() - start) * threads;
        }
        const cpu::BlockGemmShape s{m, c.n, c.k, form, int8};
        const double seconds = time_case(*kernels, s, packed, m > 12 ? std::min<int64_t>(copies, 4) : copies, threads);
        const double ops = 2.0 * static_cast<double>(m * c.n) * static_cast<double>(c.k);
        std::printf("%s %5ld x %5ld x %5ld %s %9.1f us %6.1f GB/s %7.1f GOP/s %5.1f %% of %.0f\n",
                    block_format_info(c.format).name, static_cast<long>(m), static_cast<long>(c.n),
                    static_cast<long>(c.k), int8 ? "int8" : "fp32", seconds * 1e6,
                    static_cast<double>(bytes) / seconds / 1e9, ops / seconds / 1e9,
                    peak > 0 ? 100 * ops / seconds / peak : 0.0, peak / 1e9);
      }
    }
    std::free(packed);
  }
  return 0;
}

}  // namespace
}  // namespace narae::bench

int main(int argc, char** argv) {
  const std::string isa = argc > 1 ? argv[1] : narae::cpu::best_isa(narae::cpu::detect_cpu_features());
  return narae::bench::run(isa, argc > 2 ? std::atoi(argv[2]) : 1);
}
