// SPDX-License-Identifier: Apache-2.0
// Loops that do nothing but reach a peak: what "share of peak" refers to. Each returns the work it did.
#pragma once

#include <cstdint>
#include <string_view>

namespace narae::cpu {

struct PeakLoops {
  double (*fma)(int64_t iterations) = nullptr;              // f32 operations, multiply and add counted separately
  double (*int8)(int64_t iterations) = nullptr;             // 8-bit operations, likewise; null: no such instruction
  void (*read)(const void* data, int64_t bytes) = nullptr;  // every 64-byte line once
};

// The loops of an instruction set by its name in known_isas().
PeakLoops peak_loops(std::string_view isa);

double peak_fma_portable(int64_t iterations);
double peak_fma_avx2(int64_t iterations);
double peak_fma_avx512(int64_t iterations);
double peak_int8_avx512_vnni(int64_t iterations);
void peak_read_portable(const void* data, int64_t bytes);
void peak_read_avx2(const void* data, int64_t bytes);
void peak_read_avx512(const void* data, int64_t bytes);

}  // namespace narae::cpu
