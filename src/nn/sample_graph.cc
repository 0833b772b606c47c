// SPDX-License-Identifier: Apache-2.0
#include "nn/sample_graph.h"

#include "base/error.h"
#include "graph/builder.h"
#include "ops/gather.h"
#include "ops/reduce.h"
#include "ops/sample.h"
#include "ops/topk.h"

namespace narae::nn {
namespace {

// No rows, no work: the nodes run over empty tensors.
void add_top_logprobs(Builder& builder, Value* logits, Value* top_rows, int64_t top) {
  builder.set_origins({"top_logprobs"});
  Value* rows = builder.op("gather", {logits, top_rows}, GatherAttributes{0});
  Value* sums = builder.op("reduce_log_sum_exp", {rows}, ReduceAttributes{{1}, true});
  Node* best = builder.node("topk", {rows}, TopkAttributes{Dim(top), 1, true, true}, 2);
  builder.graph().add_output(best->output(1), "top_tokens");
  builder.graph().add_output(builder.op("sub", {best->output(0), sums}), "top_logprobs");
}

}  // namespace

std::unique_ptr<Graph> sample_graph(const OpTable& ops, int64_t vocabulary, int64_t top) {
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
  Value* top_rows = graph->add_input("top_rows", DType::i32, {graph->new_symbol("B", 0)});
  Value* last = graph->add_state("last_token", DType::i32, {graph->new_symbol("slots", 1)});
  Builder builder(*graph);
  builder.set_origins({"sample"});
  Node* node = builder.node("sample", operands, NoAttributes{}, 2);
  builder.op("kv_write", {last, node->output(0), slots});
  graph->add_output(node->output(0), "tokens");
  graph->add_output(node->output(1), "logprobs");
  add_top_logprobs(builder, operands[0], top_rows, std::min(top, vocabulary));
  graph->metadata().emplace_back("kind", "sampler");
  return graph;
}

}  // namespace narae::nn
