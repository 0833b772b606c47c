// SPDX-License-Identifier: Apache-2.0
// A thread has N channels of some neighbouring output columns, which share the input columns it loads; windows of 3, 5
// and 7 columns at strides 1 and 2 have tiles of four, anything else goes column by column.
#include "kernels/cuda/image.h"
#include "kernels/cuda/real.cuh"

namespace narae::cuda {
namespace {

__device__ float act_of(const DwconvArgs& a, float x) {
  switch (a.act) {
    case Act::none: return x;
    case Act::clip: return fminf(fmaxf(x, a.lo), a.hi);
    case Act::silu: return x / (1.f + __expf(-x));
    case Act::hard_swish: return x * fminf(fmaxf(x + 3.f, 0.f), 6.f) * (1.f / 6.f);
    case Act::sigmoid: return 1.f / (1.f + __expf(-x));
    case Act::gelu: return 0.5f * x * (1.f + erff(x * 0.70710678118654752f));
  }
  return x;
}

template <typename T, int N>
__device__ void store_column(const DwconvArgs& a, int64_t at, int64_t c, float (&sum)[N]) {
  float more[N];
  if (a.bias) {
    load_as(a.bias, a.bias_type, c, more);
#pragma unroll
    for (int k = 0; k < N; ++k) sum[k] += more[k];
  }
#pragma unroll
  for (int k = 0; k < N; ++k) sum[k] = act_of(a, sum[k]);
  if (a.residual) {
    load_floats(static_cast<const T*>(a.residual) + at, more);
#pragma unroll
    for (int k = 0; k < N; ++k) sum[k] += more[k];
  }
  store_floats(static_cast<T*>(a.y) + at, sum);
}

template <typename T, int N, int KW, int S>
__global__ void __launch_bounds__(128) dwconv_tile(DwconvArgs a, int64_t count) {
  constexpr int tile = 4, inputs = (tile - 1) * S + KW;
  const int64_t task = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (task >= count) return;
  const int64_t packs = a.c / N, tiles = blocks_of(a.ow, tile);
  const int64_t c = task % packs * N, x0 = task / packs % tiles * tile, y = task / packs / tiles % a.oh,
                n = task / packs / tiles / a.oh;
  float sum[tile][N] = {};
  for (int64_t r = 0; r < a.kh; ++r) {
    const int64_t iy = y * a.stride_h - a.pad_top + r * a.dilation_h;
    if (iy < 0 || iy >= a.ih) continue;
    float w[KW][N];
#pragma unroll
    for (int s = 0; s < KW; ++s) load_floats(static_cast<const T*>(a.w) + (r * KW + s) * a.c + c, w[s]);
    const T* row = static_cast<const T*>(a.x) + (n * a.ih + iy) * a.iw * a.c + c;
    const int64_t first = x0 * S - a.pad_left;
#pragma unroll
    for (int i = 0; i < inputs; ++i) {
      float v[N] = {};
      if (first + i >= 0 && first + i < a.iw) load_floats(row + (first + i) * a.c, v);
#pragma unroll
      for (int t = 0; t < tile; ++t) {
        const int s = i - t * S;
        if (s < 0 || s >= KW) continue;
#pragma unroll
        for (int k = 0; k < N; ++k) sum[t][k] = fmaf(v[k], w[s][k], sum[t][k]);
      }
    }
  }
#pragma unroll
  for (int t = 0; t < tile; ++t) {
    if (x0 + t < a.ow) store_column<T>(a, ((n * a.oh + y) * a.ow + x0 + t) * a.c + c, c, sum[t]);
  }
}

template <typename T, int N>
__global__ void __launch_bounds__(256) dwconv_any(DwconvArgs a, int64_t count) {
  const int64_t task = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (task >= count) return;
  const int64_t packs = a.c / N, c = task % packs * N, x = task / packs % a.ow, y = task / packs / a.ow % a.oh,
                n = task / packs / a.ow / a.oh;
  float sum[N] = {};
  for (int64_t r = 0; r < a.kh; ++r) {
    const int64_t iy = y * a.stride_h - a.pad_top + r * a.dilation_h;
    if (iy < 0 || iy >= a.ih) continue;
    for (int64_t s = 0; s < a.kw; ++s) {
      const int64_t ix = x * a.stride_w - a.pad_left + s * a.dilation_w;
      if (ix < 0 || ix >= a.iw) continue;
      float v[N], w[N];
      load_floats(static_cast<const T*>(a.x) + ((n * a.ih + iy) * a.iw + ix) * a.c + c, v);
      load_floats(static_cast<const T*>(a.w) + (r * a.kw + s) * a.c + c, w);
#pragma unroll
      for (int k = 0; k < N; ++k) sum[k] = fmaf(v[k], w[k], sum[k]);
    }
  }
  store_column<T>(a, ((n * a.oh + y) * a.ow + x) * a.c + c, c, sum);
}

template <typename T, int KW>
void launch_tiles(const DwconvArgs& a, cudaStream_t stream) {
  const int64_t count = a.n * a.oh * blocks_of(a.ow, 4) * (a.c / 8);
  const unsigned grid = grid_of(blocks_of(count, 128));
  if (a.stride_w == 1) {
    dwconv_tile<T, 8, KW, 1><<<grid, 128, 0, stream>>>(a, count);
  } else {
    dwconv_tile<T, 8, KW, 2><<<grid, 128, 0, stream>>>(a, count);
  }
}

template <typename T>
void launch(const DwconvArgs& a, bool packs, cudaStream_t stream) {
  if (packs && a.dilation_w == 1 && (a.stride_w == 1 || a.stride_w == 2)) {
    if (a.kw == 3) return launch_tiles<T, 3>(a, stream);
    if (a.kw == 5) return launch_tiles<T, 5>(a, stream);
    if (a.kw == 7) return launch_tiles<T, 7>(a, stream);
  }
  const int64_t count = a.n * a.oh * a.ow * a.c;
  if (packs) {
    dwconv_any<T, 8><<<grid_of(blocks_of(count / 8, 256)), 256, 0, stream>>>(a, count / 8);
  } else {
    dwconv_any<T, 1><<<grid_of(blocks_of(count, 256)), 256, 0, stream>>>(a, count);
  }
}

}  // namespace

cudaError_t dwconv(const DwconvArgs& a, cudaStream_t stream) {
  if (!is_real(a.type) || !is_real(a.bias_type)) return cudaErrorInvalidValue;
  if (a.n * a.c * a.oh * a.ow == 0) return cudaSuccess;
  bool packs = true;
  for (const void* p : {a.x, a.w, a.bias, a.residual, static_cast<const void*>(a.y)})
    packs = packs && packable(p, a.c, a.c);
  return visit_real(a.type, [&](auto tag) { launch<decltype(tag)>(a, packs, stream); });
}

}  // namespace narae::cuda
