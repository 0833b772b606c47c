// SPDX-License-Identifier: Apache-2.0
// CPUID says what the processor has; XCR0 says whether the system saves those registers. Both must agree, or a context
// switch corrupts results.
#include "kernels/cpu/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdio>
#include <cstring>

namespace narae::cpu {
namespace {

#if defined(__x86_64__)
uint64_t read_xcr0() {
  uint32_t eax, edx;
  __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return (static_cast<uint64_t>(edx) << 32) | eax;
}

void read_cpuid(CpuFeatures& f) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return;
  const bool os_xsave = c & (1u << 27);
  const bool avx = c & (1u << 28);
  const bool fma = c & (1u << 12);
  const bool f16c = c & (1u << 29);
  const uint64_t xcr0 = os_xsave ? read_xcr0() : 0;
  const bool ymm = (xcr0 & 0x6) == 0x6;
  const bool zmm = (xcr0 & 0xe6) == 0xe6;
  if (!avx || !ymm) return;
  f.fma = fma;
  f.f16c = f16c;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
  f.avx2 = b & (1u << 5);
  if (!zmm) return;
  f.avx512f = b & (1u << 16);
  f.avx512dq = b & (1u << 17);
  f.avx512bw = b & (1u << 30);
  f.avx512vl = b & (1u << 31);
  f.avx512_vnni = c & (1u << 11);
  if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) f.avx512_bf16 = a & (1u << 5);
}
#else
void read_cpuid(CpuFeatures&) {}
#endif

// One short line of a cache description; empty when there is none.
bool read_line(const char* path, char* out, int size) {
  FILE* file = std::fopen(path, "r");
  if (!file) return false;
  const bool ok = std::fgets(out, size, file) != nullptr;
  std::fclose(file);
  return ok;
}

void read_caches(CpuFeatures& f) {
  for (int i = 0; i < 8; ++i) {
    char path[96], level[16], type[32], size[32];
    const char* base = "/sys/devices/system/cpu/cpu0/cache/index";
    std::snprintf(path, sizeof path, "%s%d/level", base, i);
    if (!read_line(path, level, sizeof level)) break;
    std::snprintf(path, sizeof path, "%s%d/type", base, i);
    if (!read_line(path, type, sizeof type) || std::strncmp(type, "Instruction", 11) == 0) continue;
    std::snprintf(path, sizeof path, "%s%d/size", base, i);
    if (!read_line(path, size, sizeof size)) continue;
    long long value = 0;
    char unit = 0;
    if (std::sscanf(size, "%lld%c", &value, &unit) < 1 || value <= 0) continue;
    const int64_t bytes = value * (unit == 'K' ? 1024 : unit == 'M' ? 1 << 20 : 1);
    if (level[0] == '1') f.l1d_bytes = bytes;
    if (level[0] == '2') f.l2_bytes = bytes;
    if (level[0] == '3') f.l3_bytes = bytes;
  }
}

}  // namespace

CpuFeatures detect_cpu_features() {
  CpuFeatures f;
  read_cpuid(f);
  read_caches(f);
  return f;
}

const std::vector<std::string>& known_isas() {
  static const std::vector<std::string> isas = {"portable", "avx2", "avx512", "avx512_vnni"};
  return isas;
}

bool supports_isa(const CpuFeatures& f, std::string_view isa) {
  const bool avx2 = f.avx2 && f.fma && f.f16c;
  const bool avx512 = avx2 && f.avx512f && f.avx512bw && f.avx512vl && f.avx512dq;
  if (isa == "portable") return true;
  if (isa == "avx2") return avx2;
  if (isa == "avx512") return avx512;
  if (isa == "avx512_vnni") return avx512 && f.avx512_vnni;
  return false;
}

std::string best_isa(const CpuFeatures& f) {
  std::string best;
  for (const std::string& isa : known_isas())
    if (supports_isa(f, isa)) best = isa;
  return best;
}

}  // namespace narae::cpu
