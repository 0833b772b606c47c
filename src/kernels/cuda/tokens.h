// SPDX-License-Identifier: Apache-2.0
// The small steps of a language model: which token a row has, rows of an embedding, states written by rows, and the
// gated unit between two products.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/gate.h"
#include "tensor/dtype.h"

namespace narae::cuda {

// token_source (ops/kv.h): out[i] = ids[i] where that is >= 0, else last[slots[i]]; 0 where the slot is outside.
struct TokenSourceArgs {
  const int32_t *ids = nullptr, *slots = nullptr, *last = nullptr;
  int32_t* out = nullptr;
  int32_t* outside = nullptr;
  int64_t rows = 0, slot_count = 0;
};
cudaError_t token_source(const TokenSourceArgs& args, cudaStream_t stream);

// kv_write (ops/kv.h) in place: state[places[row]] = x[row]. Types are equal (any), or floats of which the state's is
// the narrower. last_stays: of several rows for one place the last is written, as the op says; without it any of them.
struct KvWriteArgs {
  const void* x = nullptr;  // [rows][width]
  void* state = nullptr;    // [place_count][width]
  const int32_t* places = nullptr;
  int32_t* outside = nullptr;
  DType type = DType::f32, state_type = DType::f32;
  int element_bytes = 4;  // of x, read where the types are equal
  int64_t rows = 0, width = 0, place_count = 0;
  bool last_stays = true;
};
cudaError_t kv_write(const KvWriteArgs& args, cudaStream_t stream);

// gather: out[o][i][:] = in[o][index[i]][:], slices of slice_bytes; negative indices count from the end. Nothing is
// written for an index outside [-extent, extent).
struct GatherArgs {
  const void* in = nullptr;
  void* out = nullptr;
  const void* index = nullptr;
  int32_t* outside = nullptr;
  bool wide_index = true;  // int64 instead of int32
  int64_t outer = 1, extent = 0, count = 0, slice_bytes = 0;
};
cudaError_t gather(const GatherArgs& args, cudaStream_t stream);

// y[row][i] = gate(a[row][i]) * b[row][i], n elements a row; a and b may be parts of one matrix (SwiGLU,
// https://arxiv.org/abs/2002.05202).
struct GatedArgs {
  const void *a = nullptr, *b = nullptr;
  void* y = nullptr;
  DType type = DType::f32, y_type = DType::f32;
  Gate gate = Gate::silu;
  int64_t rows = 0, n = 0;
  int64_t a_row = 0, b_row = 0, y_row = 0;  // elements between rows; 0: n
};
cudaError_t gated(const GatedArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
