// SPDX-License-Identifier: Apache-2.0
// softmax(scale q k' + bias) v for encoders: every query sees every key of its head.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tensor/dtype.h"

namespace narae::cuda {

// Elements from one batch, head and token to the next; 0 repeats (batch, head).
struct AttentionStrides {
  int64_t batch = 0, head = 0, token = 0;
};

// q, out [batch, heads, queries, width], k [.., keys, width], v [.., keys, value_width], all of `type`, walked by
// strides; the elements of a token lie side by side. bias (may be null) is added to the scaled scores: element
// (b, h, query, key) lies at b * batch + h * head + query * query_stride + key * key_stride, any of them 0.
struct DenseAttentionArgs {
  const void *q = nullptr, *k = nullptr, *v = nullptr;
  void* out = nullptr;
  const void* bias = nullptr;
  DType type = DType::f16, bias_type = DType::f32;
  AttentionStrides q_strides, k_strides, v_strides, out_strides;
  int64_t bias_batch = 0, bias_head = 0, bias_query = 0, bias_key = 0;
  int64_t batch = 1, heads = 1, queries = 0, keys = 0, width = 0, value_width = 0;
  float scale = 1;
};
// The matrix units are used for f16 and bf16 with width == value_width of 64 or 128; otherwise f32 arithmetic, widths
// of at most 256.
cudaError_t dense_attention(const DenseAttentionArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
