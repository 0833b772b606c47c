// SPDX-License-Identifier: Apache-2.0
// All that the OCR pipeline wants from a network, so that the pipeline knows no runtime.
// The one thing not to get wrong: a result is a view, gone at the next run of the same Net.
#pragma once

#include <cstdint>
#include <vector>

namespace ocr {

using Shape = std::vector<std::int64_t>;

struct View {
  const float* data = nullptr;  // row-major
  Shape shape;
};

class Net {
 public:
  virtual ~Net() = default;
  // One input, one output, both f32 and row-major.
  virtual View run(const float* data, const Shape& shape) = 0;
};

}  // namespace ocr
