// SPDX-License-Identifier: Apache-2.0
// Dequantise and quantise as the QLinear operators use them.
#pragma once

#include "import/onnx/onnx_node.h"

namespace narae::onnx {

// `axis` is where a scale of rank 1 runs along.
Value* dequantized(const OnnxNode& n, Value* x, Value* scale, Value* zero_point, int64_t axis);
Value* quantized(const OnnxNode& n, Value* x, Value* scale, Value* zero_point);

}  // namespace narae::onnx
