// SPDX-License-Identifier: Apache-2.0
// Llama 1 to 3, SmolLM2 and whatever else has their shape. https://arxiv.org/abs/2302.13971
#include "import/arch/decoder.h"

namespace narae {

std::unique_ptr<Graph> build_llama(const Checkpoint& checkpoint, const OpTable& ops, const ModelOptions& options) {
  DecoderStyle style;
  style.gguf_interleaved = true;
  style.qkv_bias = style.other_bias = Checkpoint::Bias::if_there;
  return build_decoder(checkpoint, ops, options, style);
}

}  // namespace narae
