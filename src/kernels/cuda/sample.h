// SPDX-License-Identifier: Apache-2.0
// sample (ops/sample.h says what it means), with the host's noise: where the logits agree, so do the tokens, but for
// candidates whose logits, or sums of probabilities, differ by less than rounding. A row's token does not depend on the
// others; the last bits of its logprob may, with their number.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace narae::cuda {

// The operands of the op in its order; all on the device.
struct SampleArgs {
  const float* logits = nullptr;  // [rows][vocabulary]
  const float* temperatures = nullptr;
  const int32_t* top_ks = nullptr;
  const float *top_ps = nullptr, *min_ps = nullptr;
  const int64_t* seeds = nullptr;
  const int32_t *branches = nullptr, *positions = nullptr;
  const int32_t *change_starts = nullptr, *change_tokens = nullptr;  // [rows + 1], [changes]
  const float *change_scales = nullptr, *change_adds = nullptr;      // [changes]
  const int32_t *mask_rows = nullptr, *masks = nullptr;              // [rows], [mask_count][mask_words]
  int32_t* tokens = nullptr;                                         // [rows]; -1: none can come
  float* logprobs = nullptr;                                         // [rows]
  int32_t* outside = nullptr;  // set to 1 where a change or a mask lies outside; that row's token is -1
  float* workspace = nullptr;  // rows * vocabulary floats; may be null where changes is 0
  int64_t rows = 0, vocabulary = 0, changes = 0, mask_count = 0, mask_words = 0;
};
// vocabulary at most 2^21.
cudaError_t sample(const SampleArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
