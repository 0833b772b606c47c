// SPDX-License-Identifier: Apache-2.0
#include "difference.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace narae {

Difference difference(const Tensor& got, const Tensor& want) {
  Difference result;
  if (got.dims != want.dims) {
    result.note = fmt::format("shape {} against {}", dims_text(got.dims), dims_text(want.dims));
    result.rel_l2 = result.max_abs = Difference::apart;
    return result;
  }
  double error = 0, norm = 0, own = 0;
  for (int64_t i = 0; i < got.count(); ++i) {
    const double a = element_as_double(got, i), b = element_as_double(want, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) {
      if (std::isfinite(b)) norm += b * b;
      continue;
    }
    if (!std::isfinite(a) || !std::isfinite(b)) {
      result.note = fmt::format("element {} is {} against {}", i, a, b);
      result.rel_l2 = result.max_abs = Difference::apart;
      return result;
    }
    error += (a - b) * (a - b);
    norm += b * b;
    own += a * a;
    result.max_abs = std::max(result.max_abs, std::abs(a - b));
  }
  result.rel_l2 = norm > 0 ? std::sqrt(error / norm) : std::sqrt(own);
  return result;
}

}  // namespace narae
