// SPDX-License-Identifier: Apache-2.0
#include "load/model_kind.h"

#include "base/error.h"
#include "load/model_facts.h"

namespace narae {

void require_kind(const Graph& graph, std::string_view kind, const std::string& path) {
  const std::string* found = find_fact(graph, "kind");
  if (found && *found == kind) return;
  if (kind == "decoder") {
    fail(ErrorCode::bad_file, "\"{}\" is no language model that continues text{}", path,
         found && *found == "encoder" ? ", but an encoder that turns it into vectors: see `narae embed`" : "");
  }
  fail(ErrorCode::bad_file, "\"{}\" is no encoder that turns texts into vectors{}", path,
       found && *found == "decoder" ? ", but a model that continues them: see `narae generate`" : "");
}

std::shared_ptr<Engine> load_kind(std::string_view kind, const std::string& path, Runtime& runtime,
                                  const LoadOptions& options, CompileReport* report) {
  LoadOptions checked = options;
  checked.edit = [&](Graph& graph) {
    require_kind(graph, kind, path);
    if (options.edit) options.edit(graph);
  };
  return load_model(path, runtime, checked, report);
}

}  // namespace narae
