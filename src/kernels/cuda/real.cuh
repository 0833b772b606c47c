// SPDX-License-Identifier: Apache-2.0
// Floats of three widths as kernels read and write them: arithmetic is f32, memory moves in packs of at most 16 bytes.
// A pack needs its alignment; launchers ask packable() and take the loop of single elements where it says no.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cuda {

using Bf16 = __nv_bfloat16;

__device__ inline float to_float(float v) { return v; }
__device__ inline float to_float(__half v) { return __half2float(v); }
__device__ inline float to_float(Bf16 v) { return __bfloat162float(v); }

template <typename T>
__device__ inline T from_float(float v) {
  return v;
}
template <>
__device__ inline __half from_float<__half>(float v) {
  return __float2half_rn(v);
}
template <>
__device__ inline Bf16 from_float<Bf16>(float v) {
  return __float2bfloat16_rn(v);
}

template <typename T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) Pack {
  T v[N];
};

template <typename T, int N>
__device__ inline void load_floats(const T* p, float (&out)[N]) {
  const auto pack = *reinterpret_cast<const Pack<T, N>*>(p);
#pragma unroll
  for (int i = 0; i < N; ++i) out[i] = to_float(pack.v[i]);
}
template <typename T, int N>
__device__ inline void store_floats(T* p, const float (&in)[N]) {
  Pack<T, N> pack;
#pragma unroll
  for (int i = 0; i < N; ++i) pack.v[i] = from_float<T>(in[i]);
  *reinterpret_cast<Pack<T, N>*>(p) = pack;
}

// The type is known at run time only: for operands that are read or written once, where a branch costs nothing.
template <int N>
__device__ inline void load_as(const void* p, DType type, int64_t at, float (&out)[N]) {
  if (type == DType::f32) return load_floats(static_cast<const float*>(p) + at, out);
  if (type == DType::f16) return load_floats(static_cast<const __half*>(p) + at, out);
  load_floats(static_cast<const Bf16*>(p) + at, out);
}
template <int N>
__device__ inline void store_as(void* p, DType type, int64_t at, const float (&in)[N]) {
  if (type == DType::f32) return store_floats(static_cast<float*>(p) + at, in);
  if (type == DType::f16) return store_floats(static_cast<__half*>(p) + at, in);
  store_floats(static_cast<Bf16*>(p) + at, in);
}
__device__ inline float load_one(const void* p, DType type, int64_t at) {
  float v[1];
  load_as(p, type, at, v);
  return v[0];
}
__device__ inline void store_one(void* p, DType type, int64_t at, float value) {
  const float v[1] = {value};
  store_as(p, type, at, v);
}

inline bool is_real(DType type) { return type == DType::f32 || type == DType::f16 || type == DType::bf16; }
inline int real_bytes(DType type) { return type == DType::f32 ? 4 : 2; }
inline bool is_aligned(const void* p) { return (reinterpret_cast<uintptr_t>(p) & 15) == 0; }
// Rows of n elements, `stride` apart, may be walked in packs of 8.
inline bool packable(const void* p, int64_t n, int64_t stride) {
  return !p || (is_aligned(p) && n % 8 == 0 && stride % 8 == 0);
}

// f(T{}) for the three types of floats.
template <typename F>
inline cudaError_t visit_real(DType type, F f) {
  switch (type) {
    case DType::f32: f(float{}); break;
    case DType::f16: f(__half{}); break;
    case DType::bf16: f(Bf16{}); break;
    default: return cudaErrorInvalidValue;
  }
  return cudaGetLastError();
}

inline constexpr int64_t blocks_of(int64_t n, int64_t size) { return (n + size - 1) / size; }
inline unsigned grid_of(int64_t n) { return static_cast<unsigned>(n); }

}  // namespace narae::cuda
