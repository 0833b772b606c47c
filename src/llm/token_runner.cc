// SPDX-License-Identifier: Apache-2.0
#include "llm/token_runner.h"

#include "base/error.h"

namespace narae {

TokenRunner::TokenRunner(const LanguageModel& model, std::shared_ptr<Device> device, std::shared_ptr<StateSet> states)
    : device_(std::move(device)),
      states_(std::move(states)),
      page_size_(model.page_size),
      forward_(model.forward, device_, states_),
      sample_(model.sample, device_, states_) {
  const int64_t places = states_->sizes().at("places");
  for (const Value* state : model.forward->lowered().graph->states()) {
    if (!state->shape()[0].is_symbol() || state->shape()[0].symbol_name() != "places") continue;
    const size_t bytes = states_->bytes_of(*state);
    paged_.push_back({state->name(), bytes / static_cast<size_t>(places), bytes});
  }
}

void TokenRunner::copy_pages(const std::vector<Move>& moves) {
  if (moves.empty()) return;
  for (const PagedState& state : paged_) {
    auto* base = static_cast<std::byte*>(states_->state(state.name, state.bytes));
    for (const Move& move : moves) {
      NARAE_CHECK(move.group == 0);
      const auto at = [&](int32_t page) { return base + static_cast<size_t>(page * page_size_) * state.place_bytes; };
      states_->stream().copy(at(move.to), at(move.from), static_cast<size_t>(move.units) * state.place_bytes);
    }
  }
}

void TokenRunner::begin(Step& step) {
  copy_pages(step.moves);
  if (device_->domain() == MemoryDomain::host) {
    sample_inputs_.assign(1, forward_.run(step.block.begin).front());
    return;
  }
  sample_inputs_.assign(1, room_for(forward_.output_dims(step.block.begin).front()));
  forward_.run(step.block.begin, sample_inputs_);
}

Tensor TokenRunner::room_for(const Dims& logits) {
  Tensor tensor;
  tensor.dtype = DType::f32;
  tensor.dims = logits;
  tensor.domain = device_->domain();
  if (!logits_ || logits_->size() < tensor.bytes()) {
    logits_.reset();
    logits_ = device_->allocate(tensor.bytes());
  }
  tensor.data = logits_->data();
  return tensor;
}

void TokenRunner::finish(Step& step) {
  sample_inputs_.insert(sample_inputs_.end(), step.block.finish.begin(), step.block.finish.end());
  step.out = sample_.run(sample_inputs_);
}

}  // namespace narae
