// SPDX-License-Identifier: Apache-2.0
#include "ops/elements.h"

#include "base/error.h"
#include "ops/define.h"

namespace narae {

std::vector<double> read_elements(const Tensor& tensor) {
  if (!tensor.data) return {};
  std::vector<double> values(static_cast<size_t>(tensor.count()));
  if (tensor.dtype == DType::f32) {
    std::copy_n(tensor.as<float>(), values.size(), values.begin());
  } else {
    for (size_t i = 0; i < values.size(); ++i) values[i] = element_as_double(tensor, static_cast<int64_t>(i));
  }
  return values;
}

void write_elements(const Tensor& tensor, const std::vector<double>& values) {
  NARAE_CHECK(static_cast<int64_t>(values.size()) == tensor.count());
  for (size_t i = 0; i < values.size(); ++i) set_element(tensor, static_cast<int64_t>(i), values[i]);
}

void write_integer(const Tensor& tensor, int64_t index, int64_t value) {
  if (tensor.dtype == DType::boolean) {
    tensor.as<uint8_t>()[index] = value != 0;
  } else {
    visit_storage(tensor.dtype,
                  [&](auto tag) { tensor.as<decltype(tag)>()[index] = static_cast<decltype(tag)>(value); });
  }
}

AxisSplit::AxisSplit(const Dims& dims, int64_t first, int64_t last) {
  for (size_t i = 0; i < dims.size(); ++i) {
    const auto axis = static_cast<int64_t>(i);
    (axis < first ? outer : axis < last ? size : inner) *= dims[i];
  }
}

}  // namespace narae
