// SPDX-License-Identifier: Apache-2.0
// sample (ops/sample.h), one row of logits at a time. Candidates that cannot win are left out before anything is
// sorted or drawn.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/cpu/reduce.h"

namespace narae::cpu {

// One row; pointers are to its own entries.
struct SampleRow {
  const float* logits = nullptr;  // [vocabulary]
  int64_t vocabulary = 0;
  float temperature = 0, top_p = 1, min_p = 0;
  int32_t top_k = 0;
  uint64_t key = 0;  // noise_key()
  int64_t changes = 0;
  const int32_t* tokens = nullptr;  // [changes]
  const float *scales = nullptr, *adds = nullptr;
  const int32_t* mask = nullptr;  // null: all tokens may come
};

struct Sampled {
  int32_t token;  // -1: none can come
  float logprob;
};

// Bytes of scratch for one row at a time.
size_t sample_scratch(int64_t vocabulary);
// Changes must name tokens below `vocabulary`.
Sampled sample_row(const ReduceKernels& reduce, const SampleRow& row, void* scratch);

}  // namespace narae::cpu
