// SPDX-License-Identifier: Apache-2.0
// For cases whose right values come from other implementations: small exact numbers without a short period that are
// easy to make anywhere: element i is scale * ((37 (i + seed)) mod 23 - 11).
#pragma once

#include "ops/op_case.h"

namespace narae {

inline CaseInput pattern(Dims dims, int64_t seed, double scale = 0.25, DType dtype = DType::f32) {
  std::vector<double> values(static_cast<size_t>(element_count(dims)));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = scale * static_cast<double>((static_cast<int64_t>(i) + seed) * 37 % 23 - 11);
  }
  return given(dtype, std::move(dims), std::move(values));
}

}  // namespace narae
