// SPDX-License-Identifier: Apache-2.0
// Qwen2 and Qwen2.5: queries, keys and values have a bias. https://arxiv.org/abs/2407.10671
#include "import/arch/decoder.h"

namespace narae {

std::unique_ptr<Graph> build_qwen2(const Checkpoint& checkpoint, const OpTable& ops, const ModelOptions& options) {
  DecoderStyle style;
  style.qkv_bias = Checkpoint::Bias::always;
  return build_decoder(checkpoint, ops, options, style);
}

}  // namespace narae
