// SPDX-License-Identifier: Apache-2.0
// Attention of a decoder with its projections, over pages of keys and values that states hold.
#pragma once

#include "nn/layers.h"

namespace narae::nn {

// The inputs that a step of a language model brings; page 0 and slot 0 belong to padding.
struct StepInputs {
  Value* ids = nullptr;          // i32 [T], -1: the last token of the row's slot
  Value* slots = nullptr;        // i32 [T]
  Value* positions = nullptr;    // i32 [T], for the rotary embedding
  Value* places = nullptr;       // i32 [T], where the row's keys and values go: page * page_size + offset
  Value* row_starts = nullptr;   // i32 [S + 1], first row of each sequence
  Value* lengths = nullptr;      // i32 [S], tokens of the sequence, this step's included
  Value* page_tables = nullptr;  // i32 [S, P]
  Value* wanted = nullptr;       // i32 [R], rows whose logits are asked for
};
StepInputs add_step_inputs(Graph& graph);
// The tokens of the rows, i32 [T]: the ids, or from the state `last_token` i32 [slots], which this adds.
Value* step_tokens(Net& net, const StepInputs& step);

struct KvCache {
  DType dtype = DType::f32;  // f32, f16, bf16
  int64_t page_size = 16;
  Dim places;  // pages * page_size, a symbol that the states bring
};

struct Rotary {  // https://arxiv.org/abs/2104.09864
  std::vector<float> inv_freq;
  bool interleaved = false;                                       // adjacent elements turn together, instead of halves
  double scale = 1.0;                                             // of sine and cosine
  Value* operator()(Net& net, Value* x, Value* positions) const;  // x f32 [T, heads, D]
};

struct PagedAttention {
  Linear q, k, v, out;
  std::optional<RmsNorm> q_norm, k_norm;  // over each head
  Rotary rotary;
  int64_t heads = 1, kv_heads = 1, head_size = 1;
  int64_t window = 0;  // 0: everything before
  // x f32 [T, D] -> [T, D]; adds the states `kv.<layer>.k` and `kv.<layer>.v`.
  Value* operator()(Net& net, Value* x, const StepInputs& step, const KvCache& cache, int64_t layer) const;
};

}  // namespace narae::nn
