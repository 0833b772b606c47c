// SPDX-License-Identifier: Apache-2.0
// paged_attention (ops/paged_attention.h says what it means): causal attention of a step's rows over keys and values in
// pages. Grids follow from the sizes alone, so a launch can be captured; which rows belong together is read on the
// device. With `splits` given, a row's result has the same bits whatever else is in the step, as long as
// rows <= sequences or its sequence has one row; rows of longer sequences in a step with rows > sequences take the path
// for prompts.
// "FlashAttention", https://arxiv.org/abs/2205.14135; splits of one row's tokens: https://arxiv.org/abs/2311.01282
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cuda {

struct PagedAttentionArgs {
  const void* q = nullptr;                                  // [rows][heads][width] of q_type
  void* out = nullptr;                                      // as q, of out_type; zeros for rows of no sequence
  const void *k = nullptr, *v = nullptr;                    // [places][kv_heads][width] of kv_type
  const int32_t *row_starts = nullptr, *lengths = nullptr;  // [sequences + 1], [sequences]
  const int32_t* tables = nullptr;                          // [sequences][pages]
  int32_t* outside = nullptr;                               // set to 1 where rows, lengths or pages lie outside
  DType q_type = DType::f32, out_type = DType::f32, kv_type = DType::bf16;
  int64_t q_row = 0, out_row = 0;  // elements between rows; 0: heads * width
  int64_t rows = 0, heads = 1, kv_heads = 1, width = 0;
  int64_t sequences = 0, pages = 0, page_size = 1, places = 0, window = 0;
  float scale = 1;
  int splits =
      0;  // parts that the tokens of a decoded row are shared out in: 1, 2, 4, 8; 0: as many as fill the device
};
// width at most 512. The arithmetic is f32 on operands as stored; but for widths 64 and 128 with queries and keys of 16
// bits the matrix units are used: there q and the weights of values are rounded to the keys' type.
cudaError_t paged_attention(const PagedAttentionArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
