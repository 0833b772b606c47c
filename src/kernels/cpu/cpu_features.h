// SPDX-License-Identifier: Apache-2.0
// What the processor and the operating system together allow (CPUID and XCR0), and how large the caches are. Kernels
// are chosen by these names alone: never by a vendor, a family or a model.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace narae::cpu {

struct CpuFeatures {
  bool avx2 = false, fma = false, f16c = false;
  bool avx512f = false, avx512bw = false, avx512vl = false, avx512dq = false, avx512_vnni = false, avx512_bf16 = false;
  // Bytes of the data caches that core 0 sees; guesses (32 KiB, 512 KiB, 8 MiB) where the system does not tell.
  int64_t l1d_bytes = 32 << 10, l2_bytes = 512 << 10, l3_bytes = 8 << 20;
};

CpuFeatures detect_cpu_features();

// The instruction sets that kernels are written for, worst first: portable, avx2, avx512, avx512_vnni.
const std::vector<std::string>& known_isas();
// False for a name that known_isas() does not list.
bool supports_isa(const CpuFeatures& features, std::string_view isa);
// The last of known_isas() that is supported.
std::string best_isa(const CpuFeatures& features);

}  // namespace narae::cpu
