// SPDX-License-Identifier: Apache-2.0
#include "ops/contents.h"

#include <cmath>

namespace narae {

bool known_contents(const InferContext& c, size_t i, std::vector<Dim>& contents) {
  if (const auto* known = c.contents(i)) {
    contents = *known;
    return true;
  }
  const Value& value = c.input(i);
  if (!value.is_constant() || !holds_sizes(value.dtype()) || value.rank() > 1) return false;
  const Tensor& tensor = value.tensor();
  if (tensor.count() > static_cast<int64_t>(contents_limit)) return false;
  contents.clear();
  for (int64_t k = 0; k < tensor.count(); ++k) {
    const double element = element_as_double(tensor, k);
    if (std::abs(element) > 1e9 || element != std::trunc(element)) return false;
    contents.push_back(Dim(static_cast<int64_t>(element)));
  }
  return true;
}

bool compare_dims(const Dim& a, const Dim& b, int& order) {
  if (a == b) {
    order = 0;
    return true;
  }
  const Dim difference = a - b;
  if (difference.low() <= 0 && difference.high() >= 0) return false;
  order = difference.low() > 0 ? 1 : -1;
  return true;
}

}  // namespace narae
