// SPDX-License-Identifier: Apache-2.0
#include "nn/paged_attention.h"

#include <cmath>

#include "ops/paged_attention.h"
#include "ops/rope.h"

namespace narae::nn {

StepInputs add_step_inputs(Graph& graph) {
  const Dim rows = graph.new_symbol("T", 1), sequences = graph.new_symbol("S", 1), pages = graph.new_symbol("P", 1),
            wanted = graph.new_symbol("R", 0);
  const auto input = [&](const char* name, Shape shape) { return graph.add_input(name, DType::i32, std::move(shape)); };
  StepInputs step;
  step.ids = input("ids", {rows});
  step.slots = input("slots", {rows});
  step.positions = input("positions", {rows});
  step.places = input("places", {rows});
  step.row_starts = input("row_starts", {sequences + Dim(1)});
  step.lengths = input("lengths", {sequences});
  step.page_tables = input("page_tables", {sequences, pages});
  step.wanted = input("wanted", {wanted});
  return step;
}

Value* step_tokens(Net& net, const StepInputs& step) {
  net.at("tokens");
  Value* last = net.graph().add_state("last_token", DType::i32, {net.graph().new_symbol("slots", 1)});
  return net.builder().op("token_source", {step.ids, step.slots, last});
}

Value* Rotary::operator()(Net& net, Value* x, Value* positions) const {
  Value* frequencies = net.constant("rope.inv_freq", [&] {
    return Tensor::of<float>(DType::f32, {static_cast<int64_t>(inv_freq.size())}, inv_freq);
  });
  return net.builder().op("rope", {x, positions, frequencies}, RopeAttributes{interleaved, scale});
}

Value* PagedAttention::operator()(Net& net, Value* x, const StepInputs& step, const KvCache& cache,
                                  int64_t layer) const {
  const Dim rows = x->shape()[0];
  const auto per_head = [&](Value* y, int64_t count) { return net.reshape(y, {rows, Dim(count), Dim(head_size)}); };
  Value* queries = per_head(q(net, x), heads);
  Value* keys = per_head(k(net, x), kv_heads);
  Value* values = per_head(v(net, x), kv_heads);
  if (q_norm) queries = (*q_norm)(net, queries);
  if (k_norm) keys = (*k_norm)(net, keys);
  net.at(fmt::format("layers.{}.attention", layer));
  queries = rotary(net, queries, step.positions);
  keys = rotary(net, keys, step.positions);

  const auto kept = [&](const char* what, Value* y) {
    Value* state = net.graph().add_state(fmt::format("kv.{}.{}", layer, what), cache.dtype,
                                         {cache.places, Dim(kv_heads), Dim(head_size)});
    return net.builder().op("kv_write", {state, y, step.places});
  };
  Value* all_keys = kept("k", keys);
  Value* all_values = kept("v", values);
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_size));
  Value* y = net.builder().op("paged_attention",
                              {queries, all_keys, all_values, step.row_starts, step.lengths, step.page_tables},
                              PagedAttentionAttributes{scale, cache.page_size, window});
  return out(net, net.reshape(y, {rows, Dim(heads * head_size)}));
}

}  // namespace narae::nn
