// SPDX-License-Identifier: Apache-2.0
// Tensors as KServe v2 writes them: datatype names, JSON numbers, raw little-endian bytes.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace narae {

const char* kserve_type(DType type);  // "FP32"
// Throws Error usage naming the datatype.
DType from_kserve_type(std::string_view name);

// Sizes of `shape`; throws Error usage for what is no list of sizes or whose bytes overflow.
Dims dims_from_json(const nlohmann::json& shape, DType type);
// Flat or nested "data". Throws Error usage naming the element that is wrong.
Tensor tensor_from_json(const nlohmann::json& data, DType type, const Dims& dims);
Tensor tensor_from_bytes(std::string_view bytes, DType type, const Dims& dims);
// The elements, flat, with commas between. Throws Error usage for numbers JSON has not (NaN, infinities).
void append_json(std::string& out, const Tensor& tensor);

}  // namespace narae
