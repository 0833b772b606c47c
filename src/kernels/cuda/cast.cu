// SPDX-License-Identifier: Apache-2.0
// Pairs of floats go in packs of 8; all other pairs by one kernel per source type.
#include <limits>
#include <type_traits>

#include "kernels/cuda/cast.h"
#include "kernels/cuda/real.cuh"

namespace narae::cuda {
namespace {

template <typename To, typename From>
__device__ To whole(From v) {
  if constexpr (std::is_floating_point_v<From>) {
    constexpr From low = static_cast<From>(std::numeric_limits<To>::min());
    constexpr From high = 2 * static_cast<From>(std::numeric_limits<To>::max() / 2 + 1);
    if (v != v) return 0;
    if (v >= high) return std::numeric_limits<To>::max();
    return v <= low ? std::numeric_limits<To>::min() : static_cast<To>(v);
  } else {
    return static_cast<To>(v);
  }
}

template <typename V>
__device__ void store_cast(void* out, DType to, int64_t i, V v) {
  switch (to) {
    case DType::f32: static_cast<float*>(out)[i] = static_cast<float>(v); return;
    case DType::f16: static_cast<__half*>(out)[i] = __float2half_rn(static_cast<float>(v)); return;
    case DType::bf16: static_cast<Bf16*>(out)[i] = __float2bfloat16_rn(static_cast<float>(v)); return;
    case DType::f64: static_cast<double*>(out)[i] = static_cast<double>(v); return;
    case DType::i8: static_cast<int8_t*>(out)[i] = whole<int8_t>(v); return;
    case DType::u8: static_cast<uint8_t*>(out)[i] = whole<uint8_t>(v); return;
    case DType::i16: static_cast<int16_t*>(out)[i] = whole<int16_t>(v); return;
    case DType::u16: static_cast<uint16_t*>(out)[i] = whole<uint16_t>(v); return;
    case DType::i32: static_cast<int32_t*>(out)[i] = whole<int32_t>(v); return;
    case DType::u32: static_cast<uint32_t*>(out)[i] = whole<uint32_t>(v); return;
    case DType::i64: static_cast<int64_t*>(out)[i] = whole<int64_t>(v); return;
    case DType::u64: static_cast<uint64_t*>(out)[i] = whole<uint64_t>(v); return;
    case DType::boolean: static_cast<uint8_t*>(out)[i] = v != V{}; return;
  }
}

struct Truth {
  uint8_t value;
};
template <typename T>
__device__ auto widened(T v) {
  if constexpr (std::is_same_v<T, Truth>) {
    return static_cast<uint8_t>(v.value != 0);
  } else if constexpr (std::is_same_v<T, __half> || std::is_same_v<T, Bf16>) {
    return to_float(v);
  } else {
    return v;
  }
}

template <typename From>
__global__ void __launch_bounds__(256) cast_elements(CastArgs a) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.count; i += step) {
    store_cast(a.out, a.to, i, widened(static_cast<const From*>(a.in)[i]));
  }
}

template <typename From>
__global__ void __launch_bounds__(256) cast_packs(CastArgs a) {
  const int64_t at = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * 8;
  if (at >= a.count) return;
  float v[8];
  load_floats(static_cast<const From*>(a.in) + at, v);
  store_as(a.out, a.to, at, v);
}

}  // namespace

cudaError_t cast(const CastArgs& a, cudaStream_t stream) {
  if (a.count == 0) return cudaSuccess;
  if (is_real(a.from) && is_real(a.to) && packable(a.in, a.count, 8) && packable(a.out, a.count, 8)) {
    return visit_real(
        a.from, [&](auto tag) { cast_packs<decltype(tag)><<<grid_of(blocks_of(a.count, 2048)), 256, 0, stream>>>(a); });
  }
  const int64_t blocks = blocks_of(a.count, 256);
  const unsigned grid = grid_of(blocks < 132 * 64 ? blocks : 132 * 64);
  switch (a.from) {
    case DType::f32: cast_elements<float><<<grid, 256, 0, stream>>>(a); break;
    case DType::f16: cast_elements<__half><<<grid, 256, 0, stream>>>(a); break;
    case DType::bf16: cast_elements<Bf16><<<grid, 256, 0, stream>>>(a); break;
    case DType::f64: cast_elements<double><<<grid, 256, 0, stream>>>(a); break;
    case DType::i8: cast_elements<int8_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::u8: cast_elements<uint8_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::i16: cast_elements<int16_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::u16: cast_elements<uint16_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::i32: cast_elements<int32_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::u32: cast_elements<uint32_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::i64: cast_elements<int64_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::u64: cast_elements<uint64_t><<<grid, 256, 0, stream>>>(a); break;
    case DType::boolean: cast_elements<Truth><<<grid, 256, 0, stream>>>(a); break;
  }
  return cudaGetLastError();
}

}  // namespace narae::cuda
