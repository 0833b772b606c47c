// SPDX-License-Identifier: Apache-2.0
#include "load/load_encoder.h"

#include "base/error.h"
#include "load/model_facts.h"
#include "load/model_kind.h"
#include "load/model_tokenizer.h"

namespace narae {

EncoderModel load_encoder(const std::string& path, Runtime& runtime, const LoadOptions& options,
                          CompileReport* report) {
  return as_encoder(load_kind("encoder", path, runtime, options, report), path);
}

EncoderModel as_encoder(std::shared_ptr<const Engine> engine, const std::string& path) {
  EncoderModel model;
  model.engine = std::move(engine);
  const Graph& graph = model.engine->portable();
  require_kind(graph, "encoder", path);
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
