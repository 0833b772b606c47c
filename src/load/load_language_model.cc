// SPDX-License-Identifier: Apache-2.0
#include "load/load_language_model.h"

#include "base/error.h"
#include "import/text/read_tokenizer.h"
#include "load/model_facts.h"
#include "nn/sample_graph.h"

namespace narae {
LanguageModel load_language_model(const std::string& path, Runtime& runtime, const LoadOptions& options,
                                  CompileReport* report) {
  LanguageModel model;
  model.forward = load_model(path, runtime, options, report);
  const Graph& graph = model.forward->portable();
  if (const std::string* kind = find_fact(graph, "kind"); !kind || *kind != "decoder") {
    fail(ErrorCode::bad_file, "\"{}\" is no language model that continues text", path);
  }
  model.context = number_fact(graph, "context");
  model.vocabulary = number_fact(graph, "vocabulary");
  model.page_size = number_fact(graph, "page_size");
  CompileOptions sampler;
  model.sample = compile(nn::sample_graph(runtime.ops(), model.vocabulary), runtime, sampler);
  model.tokenizer = load_tokenizer(path);
  model.stop_ids = model.tokenizer->stops();
  if (!model.tokenizer->chat_template().empty()) {
    model.chat = std::make_shared<ChatTemplate>(model.tokenizer->chat_template());
  }
  return model;
}

}  // namespace narae
