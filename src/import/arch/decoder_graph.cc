// SPDX-License-Identifier: Apache-2.0
#include "import/arch/decoder_graph.h"

namespace narae {

DecoderGraph::DecoderGraph(const OpTable& ops, const ModelOptions& options)
    : graph_(std::make_unique<Graph>(ops, "forward")),
      net_(*graph_),
      step_(nn::add_step_inputs(*graph_)),
      cache_{options.kv, options.page_size, graph_->new_symbol("places", 1)} {}

std::unique_ptr<Graph> DecoderGraph::finish(Value* logits, int64_t context, int64_t layers) {
  const auto note = [&](const char* name, int64_t value) {
    graph_->metadata().emplace_back(name, std::to_string(value));
  };
  graph_->add_output(logits, "logits");
  graph_->metadata().emplace_back("kind", "decoder");
  note("context", context);
  note("vocabulary", logits->shape()[1].value());
  note("layers", layers);
  note("page_size", cache_.page_size);
  return std::move(graph_);
}

}  // namespace narae
