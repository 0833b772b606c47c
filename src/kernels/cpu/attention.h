// SPDX-License-Identifier: Apache-2.0
// paged_attention (ops/paged_attention.h) on f32 queries. Rows of one sequence are taken a few at a time together with
// all query heads of a key head, so that a key is read once for them. Every row sums over its tokens in an order that
// depends on their positions alone: the same bits whatever else is in the step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace narae::cpu {

enum class KvType : uint8_t { f32, f16, bf16 };

struct AttentionArgs {
  const float* q = nullptr;               // [rows][heads][width]
  const void *k = nullptr, *v = nullptr;  // [places][kv_heads][width]
  float* out = nullptr;                   // as q
  const int32_t* tables = nullptr;        // [sequences][pages]
  KvType type = KvType::f32;
  int64_t rows = 0, heads = 1, kv_heads = 1, width = 0;
  int64_t sequences = 0, pages = 0, page_size = 1, places = 0, window = 0;
  float scale = 1;
};

// Consecutive rows of one sequence (-1: of none, whose result is zero).
struct AttentionBlock {
  int32_t sequence, row, count;
  int32_t last;  // position of the first row's own token
};

// Softmax over keys that come in blocks (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018): of
// each row the largest score so far, the sum of exp(score - high), and by how much earlier sums must shrink.
struct RunningSoftmax {
  float *high = nullptr, *sum = nullptr, *shrink = nullptr;
};

struct AttentionKernels {
  size_t (*scratch)(const AttentionArgs&) = nullptr;  // bytes for one thread
  // Task t is key head t % kv_heads of block t / kv_heads.
  void (*run)(const AttentionArgs&, const AttentionBlock* blocks, void* scratch, int64_t begin, int64_t end) = nullptr;
  // What dense_attention.h is made of. The next n scores of every row become exp(score - high). `first`: there were
  // none before.
  void (*weigh)(float* scores, int64_t stride, int64_t rows, int64_t n, bool first, const RunningSoftmax& softmax);
  // Row r times factors[r], or divided by it.
  void (*scale_rows)(float* x, int64_t stride, int64_t rows, int64_t n, const float* factors, bool divide);
  // out[c * out_stride + r] = scale * in[r * in_stride + c], and zero for rows <= r < padded.
  void (*turn)(const float* in, int64_t in_stride, int64_t rows, int64_t columns, float scale, float* out,
               int64_t out_stride, int64_t padded);
};

// Rows that a block has at most.
int64_t attention_block_rows(const AttentionArgs& args);
// Cuts the step into blocks (room for `rows` of them); their number, or -1 - s where sequence s (or, for s = sequences,
// the order of row_starts) names rows, lengths or pages outside.
int64_t attention_blocks(const AttentionArgs& args, const int32_t* row_starts, const int32_t* lengths,
                         AttentionBlock* blocks);

const AttentionKernels* attention_kernels(std::string_view isa);  // null for an unknown name

extern const AttentionKernels attention_kernels_portable, attention_kernels_avx2, attention_kernels_avx512;

}  // namespace narae::cpu
