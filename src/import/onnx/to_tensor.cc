// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/to_tensor.h"

#include <cstring>

#include "base/error.h"

namespace narae::onnx {

namespace {
constexpr size_t small_bytes = 64 * 1024;  // below, an aligned copy costs nothing worth saving
}

DType to_dtype(ElementType type) {
  switch (type) {
    case ElementType::float32: return DType::f32;
    case ElementType::float16: return DType::f16;
    case ElementType::bfloat16: return DType::bf16;
    case ElementType::float64: return DType::f64;
    case ElementType::int8: return DType::i8;
    case ElementType::uint8: return DType::u8;
    case ElementType::int16: return DType::i16;
    case ElementType::uint16: return DType::u16;
    case ElementType::int32: return DType::i32;
    case ElementType::uint32: return DType::u32;
    case ElementType::int64: return DType::i64;
    case ElementType::uint64: return DType::u64;
    case ElementType::boolean: return DType::boolean;
    default: break;
  }
  fail(ErrorCode::bad_file, "element type {} ({}) is not supported; convert the model to a supported type",
       element_type_name(type), static_cast<int32_t>(type));
}

Tensor to_tensor(const TensorProto& proto, TensorSource& source) {
  const DType dtype = to_dtype(proto.data_type);
  TensorData data = source.read(proto);
  Tensor tensor;
  tensor.dtype = dtype;
  tensor.dims = proto.dims;
  const bool aligned = reinterpret_cast<uintptr_t>(data.bytes.data()) % dtype_size(dtype) == 0;
  if (data.bytes.empty() || (!aligned && data.bytes.size() < small_bytes)) {
    tensor = Tensor::allocate(dtype, proto.dims);
    if (!data.bytes.empty()) std::memcpy(tensor.data, data.bytes.data(), data.bytes.size());
    return tensor;
  }
  tensor.data = const_cast<std::byte*>(data.bytes.data());  // constants are never written
  tensor.owner = std::move(data.owner);
  tensor.file = data.file;
  return tensor;
}

}  // namespace narae::onnx
