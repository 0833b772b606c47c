// SPDX-License-Identifier: Apache-2.0
#include "import/arch/import_model.h"

#include "base/error.h"
#include "import/weights/shown_text.h"

namespace narae {
namespace {

struct Architecture {
  const char* name;
  std::unique_ptr<Graph> (*build)(const Checkpoint&, const OpTable&, const ModelOptions&);
};

constexpr Architecture architectures[] = {
#define NARAE_ARCH(name, file) {#name, &build_##name},
#include "import/arch/archs.inc"
#undef NARAE_ARCH
};

}  // namespace

std::unique_ptr<Graph> import_model(const std::string& path, const OpTable& ops, const ModelOptions& options) {
  const Checkpoint checkpoint = Checkpoint::open(path);
  std::string known;
  for (const Architecture& architecture : architectures) {
    if (checkpoint.architecture() != architecture.name) {
      known += fmt::format("{}{}", known.empty() ? "" : ", ", architecture.name);
      continue;
    }
    std::unique_ptr<Graph> graph = with_context([&] { return fmt::format("{} \"{}\"", architecture.name, path); },
                                                [&] { return architecture.build(checkpoint, ops, options); });
    graph->metadata().emplace_back("architecture", architecture.name);
    return graph;
  }
  fail(ErrorCode::bad_file, "\"{}\" is of architecture \"{}\", which Narae does not know; known: {}", path,
       shown_text(checkpoint.architecture()), known);
}

}  // namespace narae
