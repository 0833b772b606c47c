// SPDX-License-Identifier: Apache-2.0
// rope (ops/rope.h), alone or together with the writing of keys and values into their places. Angles are formed and
// reduced in double precision.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cuda {

struct RopeArgs {
  const void* x = nullptr;  // [rows][heads][width] of `type`
  void* y = nullptr;        // as x, of y_type; may be x
  const int32_t* positions = nullptr;
  const float* frequencies = nullptr;  // [pairs], 2 * pairs <= width
  DType type = DType::f32, y_type = DType::f32;
  int64_t x_row = 0, y_row = 0;  // elements between rows; 0: heads * width
  int64_t rows = 0, heads = 1, width = 0, pairs = 0;
  bool interleaved = false;
  float scale = 1;
};
cudaError_t rope(const RopeArgs& args, cudaStream_t stream);

// One step's rows of a layer: q turns into q_out, k turns into its place of k_state, v goes to its place of v_state.
// q, k, v may be parts of one matrix. Of several rows for one place the last stays.
struct RopeKvArgs {
  const void *q = nullptr, *k = nullptr, *v = nullptr;  // of `type`
  void* q_out = nullptr;                                // [rows][heads][width] of q_type; may be q
  void *k_state = nullptr, *v_state = nullptr;          // [places][kv_heads][width] of kv_type
  const int32_t *positions = nullptr, *places = nullptr;
  const float* frequencies = nullptr;
  int32_t* outside = nullptr;  // set to 1 where a place is outside; nothing is written for it
  DType type = DType::f32, q_type = DType::f32, kv_type = DType::bf16;
  int64_t q_row = 0, k_row = 0, v_row = 0, q_out_row = 0;  // elements between rows; 0: dense
  int64_t rows = 0, heads = 1, kv_heads = 1, width = 0, pairs = 0, place_count = 0;
  bool interleaved = false;
  float scale = 1;
};
cudaError_t rope_kv(const RopeKvArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
