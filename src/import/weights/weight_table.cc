// SPDX-License-Identifier: Apache-2.0
#include "import/weights/weight_table.h"

#include "base/error.h"

namespace narae {

const Weight* WeightTable::find(std::string_view name) const {
  const auto found = weights_.find(name);
  return found == weights_.end() ? nullptr : &found->second;
}

const Weight& WeightTable::at(std::string_view name) const {
  const Weight* weight = find(name);
  if (!weight) fail(ErrorCode::bad_file, "\"{}\" holds no tensor \"{}\"", path_, name);
  return *weight;
}

void WeightTable::add(std::string name, Weight weight) {
  const auto [place, added] = weights_.emplace(std::move(name), std::move(weight));
  if (!added) fail(ErrorCode::bad_file, "\"{}\": tensor \"{}\" is there twice", path_, place->first);
}

size_t checked_bytes(const std::string& what, const Dims& dims, DType dtype) {
  int64_t count = 1;
  for (int64_t dim : dims) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count) || count > (int64_t{1} << 56)) {
      fail(ErrorCode::bad_file, "{}: shape {} is too large", what, dims_text(dims));
    }
  }
  return static_cast<size_t>(count) * dtype_size(dtype);
}

}  // namespace narae
