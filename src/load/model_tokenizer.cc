// SPDX-License-Identifier: Apache-2.0
#include "load/model_tokenizer.h"

#include <filesystem>

#include "base/error.h"
#include "import/text/read_tokenizer.h"
#include "load/load_model.h"
#include "load/model_facts.h"

namespace narae {

std::unique_ptr<const Tokenizer> tokenizer_of(const Graph& graph, const std::string& path) {
  if (recognise(path) != ModelKind::engine) return load_tokenizer(path);
  const std::string* source = find_fact(graph, "source");
  if (!source) {
    fail(ErrorCode::bad_file,
         "engine \"{}\" does not say which model it was built from, whose tokenizer it needs; build it again", path);
  }
  std::error_code ignored;
  if (!std::filesystem::exists(*source, ignored)) {
    fail(ErrorCode::bad_file,
         "engine \"{}\" takes its tokenizer from \"{}\", which is not there; put the model back, or build the engine "
         "again from where it is now",
         path, *source);
  }
  return with_context([&] { return fmt::format("tokenizer of engine \"{}\"", path); },
                      [&] { return load_tokenizer(*source); });
}

}  // namespace narae
