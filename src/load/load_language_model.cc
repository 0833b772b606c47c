// SPDX-License-Identifier: Apache-2.0
#include "load/load_language_model.h"

#include "base/error.h"
#include "load/model_facts.h"
#include "load/model_tokenizer.h"
#include "nn/sample_graph.h"

namespace narae {
namespace {

void require_decoder(const Graph& graph, const std::string& path) {
  const std::string* kind = find_fact(graph, "kind");
  if (kind && *kind == "decoder") return;
  fail(ErrorCode::bad_file, "\"{}\" is no language model that continues text{}", path,
       kind && *kind == "encoder" ? ", but an encoder that turns it into vectors: see `narae embed`" : "");
}

}  // namespace

LanguageModel as_language_model(std::shared_ptr<const Engine> engine, const std::string& path, Runtime& runtime) {
  LanguageModel model;
  model.forward = std::move(engine);
  const Graph& graph = model.forward->portable();
  require_decoder(graph, path);  // an engine file is not edited
  model.context = number_fact(graph, "context");
  model.vocabulary = number_fact(graph, "vocabulary");
  model.page_size = number_fact(graph, "page_size");
  CompileOptions sampler;
  model.sample = compile(nn::sample_graph(runtime.ops(), model.vocabulary), runtime, sampler);
  model.tokenizer = tokenizer_of(graph, path);
  model.stop_ids = model.tokenizer->stops();
  if (!model.tokenizer->chat_template().empty()) {
    model.chat = std::make_shared<ChatTemplate>(model.tokenizer->chat_template());
  }
  return model;
}

LanguageModel load_language_model(const std::string& path, Runtime& runtime, const LoadOptions& options,
                                  CompileReport* report) {
  LoadOptions checked = options;
  checked.edit = [&](Graph& graph) {  // before anything is compiled
    require_decoder(graph, path);
    if (options.edit) options.edit(graph);
  };
  return as_language_model(load_model(path, runtime, checked, report), path, runtime);
}

}  // namespace narae
