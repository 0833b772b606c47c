// SPDX-License-Identifier: Apache-2.0
// Mistral: Llama, each token of which may see only the last few thousand. https://arxiv.org/abs/2310.06825
#include "import/arch/decoder.h"

namespace narae {

std::unique_ptr<Graph> build_mistral(const Checkpoint& checkpoint, const OpTable& ops, const ModelOptions& options) {
  DecoderStyle style;
  style.gguf_interleaved = true;
  style.windows = true;
  return build_decoder(checkpoint, ops, options, style);
}

}  // namespace narae
