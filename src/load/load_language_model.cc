// SPDX-License-Identifier: Apache-2.0
#include "load/load_language_model.h"

#include "llm/sampling_params.h"
#include "load/model_facts.h"
#include "load/model_kind.h"
#include "load/model_tokenizer.h"
#include "nn/sample_graph.h"

namespace narae {

LanguageModel as_language_model(std::shared_ptr<const Engine> engine, const std::string& path, Runtime& runtime) {
  LanguageModel model;
  model.forward = std::move(engine);
  const Graph& graph = model.forward->portable();
  require_kind(graph, "decoder", path);
  model.context = number_fact(graph, "context");
  model.vocabulary = number_fact(graph, "vocabulary");
  model.page_size = number_fact(graph, "page_size");
  CompileOptions sampler;
  model.sample = compile(nn::sample_graph(runtime.ops(), model.vocabulary, most_top_logprobs), runtime, sampler);
  model.tokenizer = tokenizer_of(graph, path);
  model.stop_ids = model.tokenizer->stops();
  if (!model.tokenizer->chat_template().empty()) {
    model.chat = std::make_shared<ChatTemplate>(model.tokenizer->chat_template());
  }
  return model;
}

LanguageModel load_language_model(const std::string& path, Runtime& runtime, const LoadOptions& options,
                                  CompileReport* report) {
  return as_language_model(load_kind("decoder", path, runtime, options, report), path, runtime);
}

}  // namespace narae
