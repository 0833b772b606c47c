// SPDX-License-Identifier: Apache-2.0
// A GGUF file or a Hugging Face folder as a Graph. What the graph is for stands in its metadata: `kind` (decoder or
// encoder), `architecture`, `context`, `vocabulary`, `layers`.
//   decoder: a step's rows (nn/paged_attention.h) -> logits f32 [R, vocabulary]; states `last_token` i32 [slots],
//            `kv.<layer>.k` and `.v` [places, kv heads, head size]. Also `page_size` stands in the metadata.
//   encoder: ids i32 [N, S], mask i32 [N, S] (1: a token, 0: padding) -> embedding f32 [N, D]
#pragma once

#include <memory>
#include <string>

#include "graph/graph.h"
#include "import/arch/checkpoint.h"

namespace narae {

// Of decoders: how keys and values are kept.
struct ModelOptions {
  DType kv = DType::f32;  // f32, f16, bf16
  int64_t page_size = 16;
};

// Throws Error bad_file; an unknown architecture is named beside the known ones.
std::unique_ptr<Graph> import_model(const std::string& path, const OpTable& ops, const ModelOptions& options = {});

#define NARAE_ARCH(name, file) \
  std::unique_ptr<Graph> build_##name(const Checkpoint& checkpoint, const OpTable& ops, const ModelOptions& options);
#include "import/arch/archs.inc"
#undef NARAE_ARCH

}  // namespace narae
