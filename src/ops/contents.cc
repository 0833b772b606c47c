// SPDX-License-Identifier: Apache-2.0
#include "ops/contents.h"

#include <cmath>

namespace narae {

bool content_fits(const Dim& dim, DType dtype) {
  auto between = [&](int64_t low, int64_t high) { return dim.low() >= low && dim.high() <= high; };
  switch (dtype) {
    case DType::i64: return true;
    case DType::u64: return dim.low() >= 0;
    case DType::i32: return !dim.is_constant() || between(-(int64_t{1} << 31), (int64_t{1} << 31) - 1);
    case DType::u32: return dim.low() >= 0 && (!dim.is_constant() || dim.high() < (int64_t{1} << 32));
    case DType::i16: return between(-32768, 32767);
    case DType::u16: return between(0, 65535);
    case DType::i8: return between(-128, 127);
    case DType::u8: return between(0, 255);
    case DType::boolean: return between(0, 1);
    case DType::f32: return !dim.is_constant() || between(-(1 << 24), 1 << 24);
    case DType::f64: return modest(dim);
    default: return false;
  }
}

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

PossibleOrders possible_orders(const Dim& a, const Dim& b) {
  if (a == b) return {false, true, false};
  const Dim difference = a - b;
  const int64_t low = difference.low(), high = difference.high();
  return {low < 0, low <= 0 && high >= 0, high > 0};
}

}  // namespace narae
