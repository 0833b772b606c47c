// SPDX-License-Identifier: Apache-2.0
#include "load/load_encoder.h"

#include "base/error.h"
#include "load/model_facts.h"
#include "load/model_tokenizer.h"

namespace narae {
namespace {

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
  return as_encoder(load_model(path, runtime, checked, report), path);
}

EncoderModel as_encoder(std::shared_ptr<const Engine> engine, const std::string& path) {
  EncoderModel model;
  model.engine = std::move(engine);
  const Graph& graph = model.engine->portable();
  require_encoder(graph, path);  // an engine file is not edited
  model.context = number_fact(graph, "context");
  model.width = graph.outputs()[0]->shape()[1].value();
  model.tokenizer = tokenizer_of(graph, path);
  if (const int64_t vocabulary = number_fact(graph, "vocabulary"); model.tokenizer->size() > vocabulary) {
    fail(ErrorCode::bad_file, "\"{}\": the tokenizer knows {} tokens, the model {}", path, model.tokenizer->size(),
         vocabulary);
  }
  return model;
}

}  // namespace narae
