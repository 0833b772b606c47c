// SPDX-License-Identifier: Apache-2.0
#include "load/load_language_model.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "import/text/read_tokenizer.h"
#include "nn/sample_graph.h"

namespace narae {
namespace {

int64_t fact(const Graph& graph, const std::string& key) {
  for (const auto& [name, text] : graph.metadata()) {
    int64_t value = 0;
    if (name == key && std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc()) return value;
  }
  fail(ErrorCode::bad_file, "the model does not say its \"{}\"", key);
}

}  // namespace

LanguageModel load_language_model(const std::string& path, Runtime& runtime, const LoadOptions& options,
                                  CompileReport* report) {
  LanguageModel model;
  model.forward = load_model(path, runtime, options, report);
  const Graph& graph = model.forward->portable();
  const auto& facts = graph.metadata();
  if (std::find(facts.begin(), facts.end(), std::pair<std::string, std::string>("kind", "decoder")) == facts.end()) {
    fail(ErrorCode::bad_file, "\"{}\" is no language model that continues text", path);
  }
  model.context = fact(graph, "context");
  model.vocabulary = fact(graph, "vocabulary");
  model.page_size = fact(graph, "page_size");
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
