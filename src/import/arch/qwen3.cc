// SPDX-License-Identifier: Apache-2.0
// Qwen3: no bias, but every head's query and key is normed. https://arxiv.org/abs/2505.09388
#include "import/arch/decoder.h"

namespace narae {

std::unique_ptr<Graph> build_qwen3(const Checkpoint& checkpoint, const OpTable& ops, const ModelOptions& options) {
  DecoderStyle style;
  style.qkv_bias = Checkpoint::Bias::if_there;
  style.qk_norm = true;
  return build_decoder(checkpoint, ops, options, style);
}

}  // namespace narae
