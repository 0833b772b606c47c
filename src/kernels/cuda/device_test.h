// SPDX-License-Identifier: Apache-2.0
// What the tests of the kernels share: arrays on the device whose results are poisoned before a run, random data, and
// the comparison by relative L2 error, in which a NaN never passes.
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "tensor/dtype.h"

namespace narae::cuda {

#define NARAE_NEEDS_GPU()                                                       \
  do {                                                                          \
    int count = 0;                                                              \
    const cudaError_t found = cudaGetDeviceCount(&count);                       \
    if (found != cudaSuccess || count == 0) {                                   \
      GTEST_SKIP() << "hardware: no usable GPU: " << cudaGetErrorString(found); \
    }                                                                           \
  } while (false)

inline int bytes_of(DType type) {
  switch (type) {
    case DType::f32:
    case DType::i32:
    case DType::u32: return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16:
    case DType::u16: return 2;
    case DType::f64:
    case DType::i64:
    case DType::u64: return 8;
    default: return 1;
  }
}

// Floats as the type rounds them.
inline std::vector<std::byte> encoded(const std::vector<float>& values, DType type) {
  std::vector<std::byte> bytes(values.size() * static_cast<size_t>(bytes_of(type)));
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t half = type == DType::f16 ? float_to_half(values[i]) : float_to_bfloat(values[i]);
    if (type == DType::f32) {
      std::memcpy(bytes.data() + i * 4, &values[i], 4);
    } else {
      std::memcpy(bytes.data() + i * 2, &half, 2);
    }
  }
  return bytes;
}
inline std::vector<float> decoded(const std::vector<std::byte>& bytes, DType type) {
  std::vector<float> values(bytes.size() / static_cast<size_t>(bytes_of(type)));
  for (size_t i = 0; i < values.size(); ++i) {
    uint16_t half;
    std::memcpy(&half, bytes.data() + (type == DType::f32 ? 0 : i * 2), 2);
    if (type == DType::f32) {
      std::memcpy(&values[i], bytes.data() + i * 4, 4);
    } else {
      values[i] = type == DType::f16 ? half_to_float(half) : bfloat_to_float(half);
    }
  }
  return values;
}
inline std::vector<float> rounded(const std::vector<float>& values, DType type) {
  return decoded(encoded(values, type), type);
}

// Bytes on the device; results start as all ones (NaN in every float type).
class DeviceArray {
 public:
  explicit DeviceArray(size_t bytes) : bytes_(bytes) {
    if (cudaMalloc(&data_, bytes ? bytes : 1) != cudaSuccess) data_ = nullptr;
    EXPECT_NE(data_, nullptr) << "no device memory for " << bytes
                              << " bytes: " << cudaGetErrorString(cudaGetLastError());
    poison();
  }
  template <typename T>
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size() * sizeof(T)) {
    if (bytes_) {
      EXPECT_EQ(cudaMemcpy(data_, values.data(), bytes_, cudaMemcpyHostToDevice), cudaSuccess);
    }
  }
  DeviceArray(const std::vector<float>& values, DType type) : DeviceArray(encoded(values, type)) {}
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  void poison() {
    if (bytes_) {
      EXPECT_EQ(cudaMemset(data_, 0xff, bytes_), cudaSuccess);
    }
  }
  void zero() { EXPECT_EQ(cudaMemset(data_, 0, bytes_), cudaSuccess); }
  void* get() const { return data_; }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  template <typename T>
  std::vector<T> values() const {
    std::vector<T> result(bytes_ / sizeof(T));
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    if (bytes_) {
      EXPECT_EQ(cudaMemcpy(result.data(), data_, bytes_, cudaMemcpyDeviceToHost), cudaSuccess);
    }
    return result;
  }
  std::vector<float> floats(DType type) const { return decoded(values<std::byte>(), type); }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

inline std::vector<float> normals(int64_t count, uint32_t seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> draw(0, scale);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = draw(random);
  return values;
}

// |a - b| / |b|; infinity where anything is NaN.
inline double relative_error(const std::vector<float>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return INFINITY;
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  const double error = std::sqrt(difference) / (norm > 0 ? std::sqrt(norm) : 1);
  return error == error ? error : INFINITY;
}
inline double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  return relative_error(a, std::vector<double>(b.begin(), b.end()));
}

// Of a result that is stored in the type after f32 arithmetic.
inline double tolerance(DType type) { return type == DType::f32 ? 2e-6 : type == DType::f16 ? 6e-4 : 5e-3; }

inline constexpr DType real_types[] = {DType::f32, DType::f16, DType::bf16};

}  // namespace narae::cuda
