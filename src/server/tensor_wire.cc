// SPDX-License-Identifier: Apache-2.0
#include "server/tensor_wire.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace narae {
namespace {

using Json = nlohmann::json;

struct WireType {
  DType type;
  const char* name;
};
constexpr WireType kTypes[] = {
    {DType::f32, "FP32"},     {DType::f16, "FP16"},   {DType::bf16, "BF16"}, {DType::f64, "FP64"},
    {DType::i8, "INT8"},      {DType::u8, "UINT8"},   {DType::i16, "INT16"}, {DType::u16, "UINT16"},
    {DType::i32, "INT32"},    {DType::u32, "UINT32"}, {DType::i64, "INT64"}, {DType::u64, "UINT64"},
    {DType::boolean, "BOOL"},
};

template <typename T>
T integer_element(const Json& value, int64_t index) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number <= static_cast<uint64_t>(std::numeric_limits<T>::max())) return static_cast<T>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.get<int64_t>();
    if (std::numeric_limits<T>::is_signed && number >= static_cast<int64_t>(std::numeric_limits<T>::min())) {
      return static_cast<T>(number);
    }
  }
  fail(ErrorCode::usage, "element {} of \"data\" is {}, which does not fit the datatype", index,
       value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60));
}

template <typename T>
T real_element(const Json& value, int64_t index) {
  if (!value.is_number()) {
    fail(ErrorCode::usage, "element {} of \"data\" is {}, not a number", index, value.type_name());
  }
  const auto number = value.get<double>();
  const auto out = static_cast<T>(number);
  if (!std::isfinite(out)) fail(ErrorCode::usage, "element {} of \"data\" is out of range of the datatype", index);
  return out;
}

uint8_t boolean_element(const Json& value, int64_t index) {
  if (value.is_boolean()) return value.get<bool>();
  return integer_element<uint8_t>(value, index) != 0;
}

void set_element_from(const Tensor& tensor, int64_t index, const Json& value) {
  switch (tensor.dtype) {
    case DType::f32: tensor.as<float>()[index] = real_element<float>(value, index); break;
    case DType::f64: tensor.as<double>()[index] = real_element<double>(value, index); break;
    case DType::f16: tensor.as<uint16_t>()[index] = float_to_half(real_element<float>(value, index)); break;
    case DType::bf16: tensor.as<uint16_t>()[index] = float_to_bfloat(real_element<float>(value, index)); break;
    case DType::i8: tensor.as<int8_t>()[index] = integer_element<int8_t>(value, index); break;
    case DType::u8: tensor.as<uint8_t>()[index] = integer_element<uint8_t>(value, index); break;
    case DType::i16: tensor.as<int16_t>()[index] = integer_element<int16_t>(value, index); break;
    case DType::u16: tensor.as<uint16_t>()[index] = integer_element<uint16_t>(value, index); break;
    case DType::i32: tensor.as<int32_t>()[index] = integer_element<int32_t>(value, index); break;
    case DType::u32: tensor.as<uint32_t>()[index] = integer_element<uint32_t>(value, index); break;
    case DType::i64: tensor.as<int64_t>()[index] = integer_element<int64_t>(value, index); break;
    case DType::u64: tensor.as<uint64_t>()[index] = integer_element<uint64_t>(value, index); break;
    case DType::boolean: tensor.as<uint8_t>()[index] = boolean_element(value, index); break;
  }
}

// Row-major, whatever the nesting; it must only give the right number of elements.
void fill(const Tensor& tensor, const Json& data, int64_t& next, int depth) {
  if (depth > 32) fail(ErrorCode::usage, "\"data\" is nested more than 32 deep");
  for (const Json& value : data) {
    if (value.is_array()) {
      fill(tensor, value, next, depth + 1);
      continue;
    }
    if (next >= tensor.count()) {
      fail(ErrorCode::usage, "\"data\" has more than the {} elements of shape {}", tensor.count(),
           dims_text(tensor.dims));
    }
    set_element_from(tensor, next++, value);
  }
}

template <typename T>
void append_real(std::string& out, T value, int64_t index) {
  if (!std::isfinite(value)) {
    fail(ErrorCode::failed, "element {} of the output is {}, which JSON cannot say; ask for binary_data", index, value);
  }
  const size_t begin = out.size();
  fmt::format_to(std::back_inserter(out), "{}", value);
  if (out.find_first_of(".e", begin) == std::string::npos) out += ".0";
}

}  // namespace

const char* kserve_type(DType type) {
  for (const WireType& known : kTypes) {
    if (known.type == type) return known.name;
  }
  return "UNKNOWN";
}

DType from_kserve_type(std::string_view name) {
  for (const WireType& known : kTypes) {
    if (name == known.name) return known.type;
  }
  fail(ErrorCode::usage,
       "the datatype \"{}\" is not known; tensors are BOOL, (U)INT8 to (U)INT64, FP16, BF16, FP32 or FP64",
       name.substr(0, 60));
}

Dims dims_from_json(const Json& shape, DType type) {
  if (!shape.is_array() || shape.size() > 16) {
    fail(ErrorCode::usage, "\"shape\" is to be a list of at most 16 sizes");
  }
  Dims dims;
  int64_t bytes = static_cast<int64_t>(dtype_size(type));
  bool overflow = false, empty = false;
  for (const Json& size : shape) {
    if (!size.is_number_integer() || size.get<int64_t>() < 0 ||
        (size.is_number_unsigned() && size.get<uint64_t>() > INT64_MAX)) {
      fail(ErrorCode::usage, "\"shape\" holds {}, which is no size",
           size.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60));
    }
    dims.push_back(size.get<int64_t>());
    empty = empty || dims.back() == 0;
    overflow = __builtin_mul_overflow(bytes, dims.back(), &bytes) || overflow;
  }
  // A zero hides the overflow of the others, whose product is taken elsewhere too.
  if (overflow || (empty && element_count(dims) != 0)) {
    fail(ErrorCode::usage, "the shape {} needs more bytes than can be counted", dims_text(dims));
  }
  return dims;
}

Tensor tensor_from_json(const Json& data, DType type, const Dims& dims) {
  if (!data.is_array()) fail(ErrorCode::usage, "\"data\" is to be a list");
  // Nested lists may hold more than the outer one, but each element takes two characters of the message at least.
  int64_t elements = 0;
  const auto count = [&](const auto& self, const Json& list, int depth) -> void {
    if (depth > 32) fail(ErrorCode::usage, "\"data\" is nested more than 32 deep");
    for (const Json& value : list) value.is_array() ? self(self, value, depth + 1) : void(++elements);
  };
  count(count, data, 0);
  if (elements != element_count(dims)) {
    fail(ErrorCode::usage, "\"data\" has {} elements, the shape {} has {}", elements, dims_text(dims),
         element_count(dims));
  }
  Tensor tensor = Tensor::allocate(type, dims);
  int64_t next = 0;
  fill(tensor, data, next, 0);
  return tensor;
}

Tensor tensor_from_bytes(std::string_view bytes, DType type, const Dims& dims) {
  const auto needed = static_cast<size_t>(element_count(dims)) * dtype_size(type);
  if (bytes.size() != needed) {
    fail(ErrorCode::usage, "{} bytes are there, the shape {} of {} takes {}", bytes.size(), dims_text(dims),
         kserve_type(type), needed);
  }
  Tensor tensor = Tensor::allocate(type, dims);
  if (needed) std::memcpy(tensor.data, bytes.data(), needed);
  if (type == DType::boolean) {  // any byte may come, kernels know 0 and 1
    for (int64_t i = 0; i < tensor.count(); ++i) tensor.as<uint8_t>()[i] = tensor.as<uint8_t>()[i] != 0;
  }
  return tensor;
}

void append_json(std::string& out, const Tensor& tensor) {
  for (int64_t i = 0; i < tensor.count(); ++i) {
    if (i) out += ',';
    switch (tensor.dtype) {
      case DType::f32: append_real(out, tensor.as<float>()[i], i); break;
      case DType::f64: append_real(out, tensor.as<double>()[i], i); break;
      case DType::f16: append_real(out, half_to_float(tensor.as<uint16_t>()[i]), i); break;
      case DType::bf16: append_real(out, bfloat_to_float(tensor.as<uint16_t>()[i]), i); break;
      case DType::boolean: out += tensor.as<uint8_t>()[i] ? "true" : "false"; break;
      case DType::u64: fmt::format_to(std::back_inserter(out), "{}", tensor.as<uint64_t>()[i]); break;
      default: fmt::format_to(std::back_inserter(out), "{}", element_as_int(tensor, i));
    }
  }
}

}  // namespace narae
