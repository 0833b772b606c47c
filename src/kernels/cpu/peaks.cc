// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/peaks.h"

namespace narae::cpu {

double peak_fma_portable(int64_t iterations) {
  float x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (int64_t i = 0; i < iterations; ++i) {
    for (float& v : x) v = v * 0.999f + 0.001f;
    asm volatile("" : : "r"(x) : "memory");
  }
  return 16.0 * static_cast<double>(iterations);
}

void peak_read_portable(const void* data, int64_t bytes) {
  const auto* words = static_cast<const uint64_t*>(data);
  uint64_t sum = 0;
  for (int64_t i = 0; i + 8 <= bytes / 8; i += 8) {
    for (int64_t j = 0; j < 8; ++j) sum += words[i + j];
  }
  asm volatile("" : : "r"(sum));
}

PeakLoops peak_loops(std::string_view isa) {
  if (isa == "avx512_vnni") return {peak_fma_avx512, peak_int8_avx512_vnni, peak_read_avx512};
  if (isa == "avx512") return {peak_fma_avx512, nullptr, peak_read_avx512};
  if (isa == "avx2") return {peak_fma_avx2, nullptr, peak_read_avx2};
  return {peak_fma_portable, nullptr, peak_read_portable};
}

}  // namespace narae::cpu
