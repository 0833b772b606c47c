// SPDX-License-Identifier: Apache-2.0
// A GGUF file or a Hugging Face folder as a Graph. What the graph is for stands in its metadata: `kind` (decoder or
// encoder), `architecture`, `context`, `vocabulary`, `layers`.
//   encoder: ids i32 [N, S], mask i32 [N, S] (1: a token, 0: padding) -> embedding f32 [N, D]
#pragma once

#include <memory>
#include <string>

#include "graph/graph.h"
#include "import/arch/checkpoint.h"

namespace narae {

struct ModelOptions {};

// Throws Error bad_file; an unknown architecture is named beside the known ones.
std::unique_ptr<Graph> import_model(const std::string& path, const OpTable& ops, const ModelOptions& options = {});

#define NARAE_ARCH(name, file) \
  std::unique_ptr<Graph> build_##name(const Checkpoint& checkpoint, const OpTable& ops, const ModelOptions& options);
#include "import/arch/archs.inc"
#undef NARAE_ARCH

}  // namespace narae
