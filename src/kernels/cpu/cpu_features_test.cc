// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/cpu_features.h"

#include <gtest/gtest.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace narae::cpu {
namespace {

TEST(CpuFeatures, agrees_with_the_compiler_runtime) {
#if defined(__x86_64__)
  const CpuFeatures f = detect_cpu_features();
  EXPECT_EQ(f.avx2, __builtin_cpu_supports("avx2") != 0);
  EXPECT_EQ(f.fma, __builtin_cpu_supports("fma") != 0);
  EXPECT_EQ(f.avx512f, __builtin_cpu_supports("avx512f") != 0);
  EXPECT_EQ(f.avx512_vnni, __builtin_cpu_supports("avx512vnni") != 0);
  EXPECT_EQ(f.avx512_bf16, __builtin_cpu_supports("avx512bf16") != 0);
#else
  GTEST_SKIP() << "hardware: not this processor family";
#endif
}

TEST(CpuFeatures, caches_are_plausible) {
  const CpuFeatures f = detect_cpu_features();
  EXPECT_GE(f.l1d_bytes, 8 << 10);
  EXPECT_GE(f.l2_bytes, f.l1d_bytes);
}

TEST(CpuFeatures, isas_are_ordered) {
  CpuFeatures f;
  EXPECT_EQ(best_isa(f), "portable");
  f.avx2 = f.fma = f.f16c = true;
  EXPECT_EQ(best_isa(f), "avx2");
  f.avx512f = f.avx512bw = f.avx512vl = f.avx512dq = true;
  EXPECT_EQ(best_isa(f), "avx512");
  f.avx512_vnni = true;
  EXPECT_EQ(best_isa(f), "avx512_vnni");
  EXPECT_FALSE(supports_isa(f, "unknown"));
}

}  // namespace
}  // namespace narae::cpu
