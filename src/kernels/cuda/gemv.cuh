// SPDX-License-Identifier: Apache-2.0
// What both kinds of skinny products share: x as fragments of the matrix units, and the end of a block, where the
// warps, each of which had its share of k, are summed in order.
#pragma once

#include "kernels/cuda/gemv.h"
#include "kernels/cuda/mma.cuh"
#include "kernels/cuda/reduce.cuh"

namespace narae::cuda {

inline constexpr int gemv_warps = 8, gemv_threads = gemv_warps * 32;

// Eight values as pairs of T: rounded, and (Parts == 2) what rounding left.
template <typename T, int Parts>
__device__ inline void split_pairs(const float (&x)[8], const int (&order)[8], uint32_t (&part)[Parts][4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float a = x[order[2 * i]], b = x[order[2 * i + 1]];
    part[0][i] = packed<T>(a, b);
    if constexpr (Parts == 2) {
      const T* high = reinterpret_cast<const T*>(&part[0][i]);
      part[1][i] = packed<T>(a - to_float(high[0]), b - to_float(high[1]));
    }
  }
}

// sums[tile row][column] of each warp -> y. Rows are weights' rows (n), columns rows of x (m).
template <int Rows, int Columns>
__device__ inline void store_sums(const GemvArgs& a, float (*sums)[Rows][Columns + 1], int64_t n0) {
  __syncthreads();
  for (int i = threadIdx.x; i < Rows * Columns; i += gemv_threads) {
    const int row = i % Rows, column = i / Rows;
    const int64_t n = n0 + row;
    if (n >= a.n || column >= a.m) continue;
    float sum = 0;
#pragma unroll
    for (int w = 0; w < gemv_warps; ++w) sum += sums[w][row][column];
    if (a.bias) sum += load_one(a.bias, a.bias_type, n);
    if (a.residual) sum += load_one(a.residual, a.residual_type, column * a.y_row + n);
    store_one(a.y, a.y_type, column * a.y_row + n, sum);
  }
}

}  // namespace narae::cuda
