// SPDX-License-Identifier: Apache-2.0
// For kernel tests only: a fixture that runs once per instruction set and skips those the machine lacks, and small
// deterministic data.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/cpu_features.h"

namespace narae::cpu {

class IsaTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!supports_isa(detect_cpu_features(), GetParam()))
      GTEST_SKIP() << "hardware: this machine has no " << GetParam();
  }
};

inline std::string isa_name(const testing::TestParamInfo<std::string>& info) { return info.param; }

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  float value() { return normal_(engine_); }
  std::vector<float> vector(int64_t size) {
    std::vector<float> v(size);
    for (float& x : v) x = value();
    return v;
  }

 private:
  std::mt19937 engine_;
  std::normal_distribution<float> normal_{0.f, 0.5f};
};

}  // namespace narae::cpu
