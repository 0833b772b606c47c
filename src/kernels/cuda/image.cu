// SPDX-License-Identifier: Apache-2.0
// Pooling and resizing: a thread an output position of one channel, or of 8 that lie together.
#include "kernels/cuda/image.h"
#include "kernels/cuda/real.cuh"

namespace narae::cuda {
namespace {

// A thread's output: image, channel, row and column, from an index in the order of memory. 32 bits: divisions are what
// these kernels compute most; launchers refuse more than that.
struct Place {
  int n, c, y, x;
};
template <int N>
__device__ Place place_at(uint32_t i, uint32_t c, uint32_t oh, uint32_t ow, bool channels_last) {
  const uint32_t packs = c / N;
  const uint32_t first = i / (channels_last ? packs : ow), second = first / (channels_last ? ow : oh);
  const uint32_t third = second / (channels_last ? oh : c);
  const auto rest = [](uint32_t value, uint32_t quotient, uint32_t size) {
    return static_cast<int>(value - quotient * size);
  };
  if (channels_last) {
    return {static_cast<int>(third), rest(i, first, packs) * N, rest(second, third, oh), rest(first, second, ow)};
  }
  return {static_cast<int>(third), rest(second, third, c), rest(first, second, oh), rest(i, first, ow)};
}
__device__ inline int64_t element_at(const Place& p, int64_t c, int64_t h, int64_t w, int y, int x,
                                     bool channels_last) {
  return channels_last ? ((p.n * h + y) * w + x) * c + p.c : ((p.n * c + p.c) * h + y) * w + x;
}

// Taps [first, last) of a window inside the image, and what an average counts.
struct Window {
  int first, last, count;
};
__device__ Window window_at(int start, int64_t taps, int64_t apart, int64_t size, int64_t pad_after, bool count_pad) {
  const int k = static_cast<int>(taps), dilation = static_cast<int>(apart), in = static_cast<int>(size);
  Window w{0, k, 0};
  while (w.first < k && start + w.first * dilation < 0) ++w.first;
  while (w.last > w.first && start + (w.last - 1) * dilation >= in) --w.last;
  w.count = w.last - w.first;
  if (count_pad) {
    w.count = k;
    while (w.count > 1 && start + (w.count - 1) * dilation >= in + static_cast<int>(pad_after)) --w.count;
  }
  if (w.count < 1) w.count = 1;
  return w;
}

template <typename T, int N>
__global__ void __launch_bounds__(256) pool_places(PoolArgs a, uint32_t count) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const Place p = place_at<N>(i, a.c, a.oh, a.ow, a.channels_last);
  const int y0 = static_cast<int>(p.y * a.stride_h - a.pad_top), x0 = static_cast<int>(p.x * a.stride_w - a.pad_left);
  const int dilation_h = static_cast<int>(a.dilation_h), dilation_w = static_cast<int>(a.dilation_w);
  const Window rows = window_at(y0, a.kh, a.dilation_h, a.ih, a.pad_bottom, a.count_include_pad);
  const Window columns = window_at(x0, a.kw, a.dilation_w, a.iw, a.pad_right, a.count_include_pad);
  const bool is_max = a.kind == PoolKind::max;
  float all[N];
#pragma unroll
  for (float& v : all) v = is_max ? -INFINITY : 0.f;
  for (int r = rows.first; r < rows.last; ++r) {
#pragma unroll 3
    for (int s = columns.first; s < columns.last; ++s) {
      float v[N];
      load_floats(static_cast<const T*>(a.x) +
                      element_at(p, a.c, a.ih, a.iw, y0 + r * dilation_h, x0 + s * dilation_w, a.channels_last),
                  v);
#pragma unroll
      for (int k = 0; k < N; ++k) all[k] = is_max ? (v[k] > all[k] ? v[k] : all[k]) : all[k] + v[k];
    }
  }
  const float factor = static_cast<float>(rows.count * columns.count);
#pragma unroll
  for (float& v : all) v = is_max ? v : v / factor;
  store_floats(static_cast<T*>(a.y) + element_at(p, a.c, a.oh, a.ow, p.y, p.x, a.channels_last), all);
}

template <typename T, int N>
__global__ void __launch_bounds__(256) resize_places(ResizeArgs a, uint32_t count) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const Place p = place_at<N>(i, a.c, a.rows.out, a.columns.out, a.channels_last);
  float sum[N] = {};
  for (int64_t r = p.y * a.rows.taps; r < (p.y + 1) * a.rows.taps; ++r) {
    const float row_weight = a.rows.weights ? a.rows.weights[r] : 1.f;
    float part[N] = {};
    for (int64_t s = p.x * a.columns.taps; s < (p.x + 1) * a.columns.taps; ++s) {
      const float weight = a.columns.weights ? a.columns.weights[s] : 1.f;
      float v[N];
      load_floats(static_cast<const T*>(a.x) + element_at(p, a.c, a.rows.in, a.columns.in, a.rows.places[r],
                                                          a.columns.places[s], a.channels_last),
                  v);
#pragma unroll
      for (int k = 0; k < N; ++k) part[k] = fmaf(v[k], weight, part[k]);
    }
#pragma unroll
    for (int k = 0; k < N; ++k) sum[k] = fmaf(part[k], row_weight, sum[k]);
  }
  store_floats(static_cast<T*>(a.y) + element_at(p, a.c, a.rows.out, a.columns.out, p.y, p.x, a.channels_last), sum);
}

}  // namespace

cudaError_t pool(const PoolArgs& a, cudaStream_t stream) {
  const int64_t count = a.n * a.c * a.oh * a.ow;
  if (count > most_places) return cudaErrorInvalidValue;
  if (count == 0) return is_real(a.type) ? cudaSuccess : cudaErrorInvalidValue;
  const bool packs = a.channels_last && packable(a.x, a.c, a.c) && packable(a.y, a.c, a.c);
  return visit_real(a.type, [&](auto tag) {
    using T = decltype(tag);
    if (packs) {
      pool_places<T, 8><<<grid_of(blocks_of(count / 8, 256)), 256, 0, stream>>>(a, static_cast<uint32_t>(count / 8));
    } else {
      pool_places<T, 1><<<grid_of(blocks_of(count, 256)), 256, 0, stream>>>(a, static_cast<uint32_t>(count));
    }
  });
}

cudaError_t resize(const ResizeArgs& a, cudaStream_t stream) {
  const int64_t count = a.n * a.c * a.rows.out * a.columns.out;
  if (count > most_places) return cudaErrorInvalidValue;
  if (count == 0) return is_real(a.type) ? cudaSuccess : cudaErrorInvalidValue;
  const bool packs = a.channels_last && packable(a.x, a.c, a.c) && packable(a.y, a.c, a.c);
  return visit_real(a.type, [&](auto tag) {
    using T = decltype(tag);
    if (packs) {
      resize_places<T, 8><<<grid_of(blocks_of(count / 8, 256)), 256, 0, stream>>>(a, static_cast<uint32_t>(count / 8));
    } else {
      resize_places<T, 1><<<grid_of(blocks_of(count, 256)), 256, 0, stream>>>(a, static_cast<uint32_t>(count));
    }
  });
}

}  // namespace narae::cuda
