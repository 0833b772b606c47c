// SPDX-License-Identifier: Apache-2.0
// Twelve independent accumulators hide the latency of the fused multiply-add on two ports.
#include <immintrin.h>

#include "kernels/cpu/peaks.h"

namespace narae::cpu {

#define NARAE_PEAK_STEP(r) asm volatile("vfmadd231ps %%zmm14, %%zmm15, %%zmm" #r : : : "xmm" #r)

double peak_fma_avx512(int64_t iterations) {
  asm volatile("vxorps %%ymm14, %%ymm14, %%ymm14\n vxorps %%ymm15, %%ymm15, %%ymm15" : : : "xmm14", "xmm15");
  for (int64_t i = 0; i < iterations; ++i) {
    NARAE_PEAK_STEP(0);
    NARAE_PEAK_STEP(1);
    NARAE_PEAK_STEP(2);
    NARAE_PEAK_STEP(3);
    NARAE_PEAK_STEP(4);
    NARAE_PEAK_STEP(5);
    NARAE_PEAK_STEP(6);
    NARAE_PEAK_STEP(7);
    NARAE_PEAK_STEP(8);
    NARAE_PEAK_STEP(9);
    NARAE_PEAK_STEP(10);
    NARAE_PEAK_STEP(11);
  }
  return 12.0 * 2 * 16 * static_cast<double>(iterations);
}
#undef NARAE_PEAK_STEP

void peak_read_avx512(const void* data, int64_t bytes) {
  const auto* bytes_at = static_cast<const char*>(data);
  for (int64_t i = 0; i + 256 <= bytes; i += 256) {
    for (int64_t j = 0; j < 256; j += 16 * 4) {
      asm volatile("vmovups (%0), %%zmm0" : : "r"(bytes_at + i + j) : "xmm0");
    }
  }
}

}  // namespace narae::cpu
