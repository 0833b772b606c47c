// SPDX-License-Identifier: Apache-2.0
#include "nn/sample_graph.h"

#include "base/error.h"
#include "graph/builder.h"
#include "ops/sample.h"

namespace narae::nn {

std::unique_ptr<Graph> sample_graph(const OpTable& ops, int64_t vocabulary) {
  auto graph = std::make_unique<Graph>(ops, "sample");
  const Dim rows = graph->new_symbol("R", 1), changes = graph->new_symbol("A", 0), masks = graph->new_symbol("M", 0);
  const auto shape_of = [&](SampleExtent extent) -> Shape {
    switch (extent) {
      case SampleExtent::logits: return {rows, Dim(vocabulary)};
      case SampleExtent::row: return {rows};
      case SampleExtent::row_start: return {rows + Dim(1)};
      case SampleExtent::change: return {changes};
      case SampleExtent::mask: return {masks, Dim((vocabulary + 31) / 32)};
    }
    NARAE_CHECK(false);
  };
  std::vector<Value*> operands;
  Value* slots = nullptr;
  for (const SampleOperandForm& form : sample_forms) {
    operands.push_back(graph->add_input(form.name, form.dtype, shape_of(form.extent)));
    if (!slots) slots = graph->add_input("slots", DType::i32, {rows});
  }
  Value* last = graph->add_state("last_token", DType::i32, {graph->new_symbol("slots", 1)});
  Builder builder(*graph);
  builder.set_origins({"sample"});
  Node* node = builder.node("sample", operands, NoAttributes{}, 2);
  builder.op("kv_write", {last, node->output(0), slots});
  graph->add_output(node->output(0), "tokens");
  graph->add_output(node->output(1), "logprobs");
  graph->metadata().emplace_back("kind", "sampler");
  return graph;
}

}  // namespace narae::nn
