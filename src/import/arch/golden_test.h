// SPDX-License-Identifier: Apache-2.0
// What transformers computes with small random models (tests/golden/make_llm.py), for tests.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "import/weights/safetensors.h"

namespace narae {

inline std::string golden_path(const std::string& name) { return NARAE_SOURCE "/tests/golden/llm/" + name; }

inline Tensor golden(const std::string& name, const std::string& tensor) {
  return open_safetensors(golden_path(name) + "/golden.safetensors").at(tensor).data;
}

// Largest difference as a share of the largest wanted magnitude.
inline double difference(const Tensor& got, const Tensor& wanted) {
  EXPECT_EQ(got.dims, wanted.dims);
  if (got.dims != wanted.dims) return INFINITY;
  double worst = 0, largest = 0;
  for (int64_t i = 0; i < wanted.count(); ++i) {
    const double error = std::abs(static_cast<double>(got.as<float>()[i]) - wanted.as<float>()[i]);
    worst = error <= worst ? worst : error;  // NaN counts as a difference
    largest = std::max(largest, std::abs(static_cast<double>(wanted.as<float>()[i])));
  }
  return worst / largest;
}

}  // namespace narae
