// SPDX-License-Identifier: Apache-2.0
#include "nn/sample_graph.h"

#include "graph/builder.h"

namespace narae::nn {

std::unique_ptr<Graph> sample_graph(const OpTable& ops, int64_t vocabulary) {
  auto graph = std::make_unique<Graph>(ops, "sample");
  const Dim rows = graph->new_symbol("R", 1), changes = graph->new_symbol("A", 0), masks = graph->new_symbol("M", 0);
  const auto input = [&](const char* name, DType dtype, Shape shape) {
    return graph->add_input(name, dtype, std::move(shape));
  };
  Value* logits = input("logits", DType::f32, {rows, Dim(vocabulary)});
  Value* slots = input("slots", DType::i32, {rows});
  const std::vector<Value*> operands = {logits,
                                        input("temperatures", DType::f32, {rows}),
                                        input("top_ks", DType::i32, {rows}),
                                        input("top_ps", DType::f32, {rows}),
                                        input("min_ps", DType::f32, {rows}),
                                        input("seeds", DType::i64, {rows}),
                                        input("branches", DType::i32, {rows}),
                                        input("positions", DType::i32, {rows}),
                                        input("change_starts", DType::i32, {rows + Dim(1)}),
                                        input("change_tokens", DType::i32, {changes}),
                                        input("change_scales", DType::f32, {changes}),
                                        input("change_adds", DType::f32, {changes}),
                                        input("mask_rows", DType::i32, {rows}),
                                        input("masks", DType::i32, {masks, Dim((vocabulary + 31) / 32)})};
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
