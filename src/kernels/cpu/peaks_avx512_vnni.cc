// SPDX-License-Identifier: Apache-2.0
#include <immintrin.h>

#include "kernels/cpu/peaks.h"

namespace narae::cpu {

#define NARAE_PEAK_STEP(r) asm volatile("vpdpbusd %%zmm14, %%zmm15, %%zmm" #r : : : "xmm" #r)

double peak_int8_avx512_vnni(int64_t iterations) {
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
  return 12.0 * 2 * 64 * static_cast<double>(iterations);
}
#undef NARAE_PEAK_STEP

}  // namespace narae::cpu
