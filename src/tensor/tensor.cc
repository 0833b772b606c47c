// SPDX-License-Identifier: Apache-2.0
// Host tensors: allocation, element access, seeded contents.
#include "tensor/tensor.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/error.h"
#include "base/hash.h"

namespace narae {

Tensor Tensor::allocate(DType dtype, Dims dims) {
  Tensor tensor;
  tensor.dtype = dtype;
  tensor.dims = std::move(dims);
  int64_t count = 1;
  for (int64_t dim : tensor.dims) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count) || count > (int64_t{1} << 44)) {
      fail(ErrorCode::does_not_fit, "a tensor of shape {} cannot be allocated", dims_text(tensor.dims));
    }
  }
  const size_t bytes = (static_cast<size_t>(count) * dtype_size(dtype) + 64 + 63) / 64 * 64;
  void* data = std::aligned_alloc(64, bytes);
  if (!data)
    fail(ErrorCode::does_not_fit, "out of memory: {} bytes for a tensor of shape {}", bytes, dims_text(tensor.dims));
  tensor.owner = std::shared_ptr<const void>(data, [](const void* p) { std::free(const_cast<void*>(p)); });
  tensor.data = data;
  return tensor;
}

Tensor Tensor::copy_of(const Tensor& other) {
  Tensor tensor = allocate(other.dtype, other.dims);
  if (other.bytes()) std::memcpy(tensor.data, other.data, other.bytes());
  return tensor;
}

Tensor aligned(const Tensor& tensor) {
  const bool is_aligned = reinterpret_cast<uintptr_t>(tensor.data) % dtype_size(tensor.dtype) == 0;
  return is_aligned ? tensor : Tensor::copy_of(tensor);
}

namespace {

// The nearest value of T; 0 for NaN. A plain cast of what does not fit is undefined.
template <typename T>
T to_whole(double value) {
  if (std::isnan(value)) return 0;
  if (value < static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  // The largest 64-bit integers are no doubles: the next above them is a power of two.
  if (value >= std::ldexp(1.0, std::numeric_limits<T>::digits)) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

template <typename Visit>
auto visit_element(const Tensor& t, int64_t i, Visit visit) {
  switch (t.dtype) {
    case DType::f32: return visit(t.as<float>()[i]);
    case DType::f16: return visit(half_to_float(t.as<uint16_t>()[i]));
    case DType::bf16: return visit(bfloat_to_float(t.as<uint16_t>()[i]));
    case DType::f64: return visit(t.as<double>()[i]);
    case DType::i8: return visit(t.as<int8_t>()[i]);
    case DType::u8: return visit(t.as<uint8_t>()[i]);
    case DType::i16: return visit(t.as<int16_t>()[i]);
    case DType::u16: return visit(t.as<uint16_t>()[i]);
    case DType::i32: return visit(t.as<int32_t>()[i]);
    case DType::u32: return visit(t.as<uint32_t>()[i]);
    case DType::i64: return visit(t.as<int64_t>()[i]);
    case DType::u64: return visit(t.as<uint64_t>()[i]);
    case DType::boolean: return visit(t.as<uint8_t>()[i]);
  }
  NARAE_CHECK(false);
}
}  // namespace

double element_as_double(const Tensor& tensor, int64_t index) {
  return visit_element(tensor, index, [](auto value) { return static_cast<double>(value); });
}
int64_t element_as_int(const Tensor& tensor, int64_t index) {
  return visit_element(tensor, index, [](auto value) {
    if constexpr (std::is_floating_point_v<decltype(value)>) return to_whole<int64_t>(value);
    return static_cast<int64_t>(value);
  });
}

// Narrow integers keep the low bits of the nearest 64-bit one, as integer arithmetic does.
void set_element(const Tensor& t, int64_t i, double value) {
  switch (t.dtype) {
    case DType::f32: t.as<float>()[i] = static_cast<float>(value); break;
    case DType::f16: t.as<uint16_t>()[i] = float_to_half(static_cast<float>(value)); break;
    case DType::bf16: t.as<uint16_t>()[i] = float_to_bfloat(static_cast<float>(value)); break;
    case DType::f64: t.as<double>()[i] = value; break;
    case DType::i8: t.as<int8_t>()[i] = static_cast<int8_t>(to_whole<int64_t>(value)); break;
    case DType::u8: t.as<uint8_t>()[i] = static_cast<uint8_t>(to_whole<int64_t>(value)); break;
    case DType::i16: t.as<int16_t>()[i] = static_cast<int16_t>(to_whole<int64_t>(value)); break;
    case DType::u16: t.as<uint16_t>()[i] = static_cast<uint16_t>(to_whole<int64_t>(value)); break;
    case DType::i32: t.as<int32_t>()[i] = static_cast<int32_t>(to_whole<int64_t>(value)); break;
    case DType::u32: t.as<uint32_t>()[i] = static_cast<uint32_t>(to_whole<int64_t>(value)); break;
    case DType::i64: t.as<int64_t>()[i] = to_whole<int64_t>(value); break;
    case DType::u64: t.as<uint64_t>()[i] = to_whole<uint64_t>(value); break;
    case DType::boolean: t.as<uint8_t>()[i] = value != 0; break;
  }
}

bool same_contents(const Tensor& a, const Tensor& b) {
  return a.dtype == b.dtype && a.dims == b.dims &&
         (a.data == b.data || a.bytes() == 0 || std::memcmp(a.data, b.data, a.bytes()) == 0);
}

uint64_t hash_contents(const Tensor& tensor) {
  uint64_t seed = static_cast<uint64_t>(tensor.dtype) + 1;
  for (int64_t dim : tensor.dims) seed = hash_combine(seed, static_cast<uint64_t>(dim));
  return hash_bytes(tensor.data, tensor.bytes(), seed);
}

void fill_normal(const Tensor& tensor, uint64_t seed) {
  uint64_t state = hash_mix(seed + 0x5bd1e995u);
  auto uniform = [&state] {
    state += 0x9e3779b97f4a7c15ULL;
    return (static_cast<double>(hash_mix(state) >> 11) + 0.5) * (1.0 / 9007199254740992.0);
  };
  const int64_t count = tensor.count();
  for (int64_t i = 0; i < count; ++i) {
    double value;
    if (is_float(tensor.dtype)) {
      const double u = uniform(), v = uniform();
      value = std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * v);
    } else if (tensor.dtype == DType::boolean) {
      value = uniform() < 0.5;
    } else {
      value = std::floor(uniform() * 8);  // small enough to serve as an index
    }
    set_element(tensor, i, value);
  }
}

}  // namespace narae
