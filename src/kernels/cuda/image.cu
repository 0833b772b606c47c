// SPDX-License-Identifier: Apache-2.0
// Pooling and resizing: a thread an output position of one channel, or of 8 that lie together.
#include "kernels/cuda/image.h"
#include "kernels/cuda/real.cuh"

namespace narae::cuda {
namespace {

// A thread's output: image, channel, row and column, from an index in the order of memory.
struct Place {
  int64_t n, c, y, x;
};
template <int N>
__device__ Place place_at(int64_t i, int64_t c, int64_t oh, int64_t ow, bool channels_last) {
  Place p;
  if (channels_last) {
    p.c = i % (c / N) * N, i /= c / N;
    p.x = i % ow, i /= ow;
    p.y = i % oh, p.n = i / oh;
  } else {
    p.x = i % ow, i /= ow;
    p.y = i % oh, i /= oh;
    p.c = i % c, p.n = i / c;
  }
  return p;
}
__device__ inline int64_t element_at(const Place& p, int64_t c, int64_t h, int64_t w, int64_t y, int64_t x,
                                     bool channels_last) {
  return channels_last ? ((p.n * h + y) * w + x) * c + p.c : ((p.n * c + p.c) * h + y) * w + x;
}

// Taps [first, last) of a window inside the image, and what an average counts.
struct Window {
  int64_t first, last, count;
};
__device__ Window window_at(int64_t start, int64_t k, int64_t dilation, int64_t in, int64_t pad_after, bool count_pad) {
  Window w{0, k, 0};
  while (w.first < k && start + w.first * dilation < 0) ++w.first;
  while (w.last > w.first && start + (w.last - 1) * dilation >= in) --w.last;
  w.count = w.last - w.first;
  if (count_pad) {
    w.count = k;
    while (w.count > 1 && start + (w.count - 1) * dilation >= in + pad_after) --w.count;
  }
  if (w.count < 1) w.count = 1;
  return w;
}

template <typename T, int N>
__global__ void __launch_bounds__(256) pool_places(PoolArgs a, int64_t count) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const Place p = place_at<N>(i, a.c, a.oh, a.ow, a.channels_last);
  const int64_t y0 = p.y * a.stride_h - a.pad_top, x0 = p.x * a.stride_w - a.pad_left;
  const Window rows = window_at(y0, a.kh, a.dilation_h, a.ih, a.pad_bottom, a.count_include_pad);
  const Window columns = window_at(x0, a.kw, a.dilation_w, a.iw, a.pad_right, a.count_include_pad);
  const bool is_max = a.kind == PoolKind::max;
  float all[N];
#pragma unroll
  for (float& v : all) v = is_max ? -INFINITY : 0.f;
  for (int64_t r = rows.first; r < rows.last; ++r) {
#pragma unroll 3
    for (int64_t s = columns.first; s < columns.last; ++s) {
      float v[N];
      load_floats(static_cast<const T*>(a.x) +
                      element_at(p, a.c, a.ih, a.iw, y0 + r * a.dilation_h, x0 + s * a.dilation_w, a.channels_last),
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
__global__ void __launch_bounds__(256) resize_places(ResizeArgs a, int64_t count) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
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
  if (count == 0) return is_real(a.type) ? cudaSuccess : cudaErrorInvalidValue;
  const bool packs = a.channels_last && packable(a.x, a.c, a.c) && packable(a.y, a.c, a.c);
  return visit_real(a.type, [&](auto tag) {
    using T = decltype(tag);
    if (packs) {
      pool_places<T, 8><<<grid_of(blocks_of(count / 8, 256)), 256, 0, stream>>>(a, count / 8);
    } else {
      pool_places<T, 1><<<grid_of(blocks_of(count, 256)), 256, 0, stream>>>(a, count);
    }
  });
}

cudaError_t resize(const ResizeArgs& a, cudaStream_t stream) {
  const int64_t count = a.n * a.c * a.rows.out * a.columns.out;
  if (count == 0) return is_real(a.type) ? cudaSuccess : cudaErrorInvalidValue;
  const bool packs = a.channels_last && packable(a.x, a.c, a.c) && packable(a.y, a.c, a.c);
  return visit_real(a.type, [&](auto tag) {
    using T = decltype(tag);
    if (packs) {
      resize_places<T, 8><<<grid_of(blocks_of(count / 8, 256)), 256, 0, stream>>>(a, count / 8);
    } else {
      resize_places<T, 1><<<grid_of(blocks_of(count, 256)), 256, 0, stream>>>(a, count);
    }
  });
}

}  // namespace narae::cuda
