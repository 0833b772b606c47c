// SPDX-License-Identifier: Apache-2.0
// Conversion between element types as ONNX's Cast means it: integers wrap, floats are cut towards zero and saturate
// (NaN gives 0), anything but 0 is true. Exact where ScalarProgram, which goes through f32, is not.
#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cpu {

// Elements [begin, end).
void cast_run(DType from, DType to, const void* in, void* out, int64_t begin, int64_t end);

}  // namespace narae::cpu
