// SPDX-License-Identifier: Apache-2.0
#include "load/load_encoder.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "import/text/read_tokenizer.h"

namespace narae {
namespace {

const std::string* find_fact(const Graph& graph, const std::string& key) {
  for (const auto& [name, text] : graph.metadata()) {
    if (name == key) return &text;
  }
  return nullptr;
}

int64_t number_of(const Graph& graph, const std::string& key) {
  const std::string* text = find_fact(graph, key);
  int64_t value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc()) {
    fail(ErrorCode::bad_file, "the model does not say its \"{}\"", key);
  }
  return value;
}

void require_encoder(const Graph& graph, const std::string& path) {
  const std::string* kind = find_fact(graph, "kind");
  if (!kind || *kind != "encoder") {
    fail(ErrorCode::bad_file, "\"{}\" is no encoder that turns texts into vectors{}", path,
         kind && *kind == "decoder" ? ", but a model that continues them: see `narae generate`" : "");
  }
}

}  // namespace

EncoderModel load_encoder(const std::string& path, Runtime& runtime, const LoadOptions& options,
                          CompileReport* report) {
  LoadOptions checked = options;
  checked.edit = [&](Graph& graph) {  // before anything is compiled
    require_encoder(graph, path);
    if (options.edit) options.edit(graph);
  };
  EncoderModel model;
  model.engine = load_model(path, runtime, checked, report);
  const Graph& graph = model.engine->portable();
  require_encoder(graph, path);  // an engine file is not edited
  model.context = number_of(graph, "context");
  model.width = graph.outputs()[0]->shape()[1].value();
  model.tokenizer = load_tokenizer(path);
  if (const int64_t vocabulary = number_of(graph, "vocabulary"); model.tokenizer->size() > vocabulary) {
    fail(ErrorCode::bad_file, "\"{}\": the tokenizer knows {} tokens, the model {}", path, model.tokenizer->size(),
         vocabulary);
  }
  return model;
}

}  // namespace narae
