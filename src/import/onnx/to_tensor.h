// SPDX-License-Identifier: Apache-2.0
// ONNX types and tensors as Narae's. A large tensor stays a view into its file even where the file leaves it unaligned
// for its type: whoever reads a constant in place must not assume alignment.
#pragma once

#include "import/onnx/tensor_data.h"
#include "tensor/tensor.h"

namespace narae::onnx {

// Throws Error bad_file naming the type where Narae has no such element type.
DType to_dtype(ElementType type);

Tensor to_tensor(const TensorProto& proto, TensorSource& source);

}  // namespace narae::onnx
