// SPDX-License-Identifier: Apache-2.0
// Checkpoints of the Llama family: one decoder whose members differ in what this lists.
#pragma once

#include "import/arch/import_model.h"

namespace narae {

struct DecoderStyle {
  bool gguf_interleaved = false;  // GGUF holds Q and K for a rotation of adjacent pairs
  Checkpoint::Bias qkv_bias = Checkpoint::Bias::none, other_bias = Checkpoint::Bias::none;
  bool qk_norm = false;  // queries and keys are normed, each head by itself
  bool windows = false;  // a sliding_window is in use unless use_sliding_window says no, else only if it says so
};

std::unique_ptr<Graph> build_decoder(const Checkpoint& checkpoint, const OpTable& ops, const ModelOptions& options,
                                     const DecoderStyle& style);

}  // namespace narae
