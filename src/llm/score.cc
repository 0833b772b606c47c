// SPDX-License-Identifier: Apache-2.0
#include "llm/score.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "engine/session.h"
#include "llm/token_block.h"

namespace narae {
namespace {

Tensor list(Dims dims, const std::vector<int32_t>& values) {
  return Tensor::of<int32_t>(DType::i32, std::move(dims), values);
}
std::vector<int32_t> counted(int64_t first, int64_t count) {
  std::vector<int32_t> values(static_cast<size_t>(count));
  std::iota(values.begin(), values.end(), static_cast<int32_t>(first));
  return values;
}

// Rows [begin, end) of one sequence in slot 1, whose page i is page i + 1 of the states.
std::vector<Tensor> step_inputs(std::span<const int32_t> ids, int64_t begin, int64_t end, int64_t pages,
                                int64_t page_size) {
  const int64_t rows = end - begin;
  std::vector<Tensor> inputs(forward_inputs);
  const auto set = [&](ForwardInput input, Tensor tensor) { inputs[static_cast<size_t>(input)] = std::move(tensor); };
  set(ForwardInput::ids, list({rows}, {ids.begin() + begin, ids.begin() + end}));
  set(ForwardInput::slots, list({rows}, std::vector<int32_t>(static_cast<size_t>(rows), 1)));
  set(ForwardInput::positions, list({rows}, counted(begin, rows)));
  set(ForwardInput::places, list({rows}, counted(begin + page_size, rows)));
  set(ForwardInput::row_starts, list({2}, {0, static_cast<int32_t>(rows)}));
  set(ForwardInput::lengths, list({1}, {static_cast<int32_t>(end)}));
  set(ForwardInput::page_tables, list({1, pages}, counted(1, pages)));
  set(ForwardInput::wanted, list({rows}, counted(0, rows)));
  return inputs;
}

}  // namespace

void score(const LanguageModel& model, const std::shared_ptr<Device>& device, MemoryBudget* budget,
           std::span<const int32_t> ids, int64_t rows,
           const std::function<void(int64_t position, std::span<const float> logits)>& see) {
  const auto count = static_cast<int64_t>(ids.size());
  if (count > model.context) {
    fail(ErrorCode::does_not_fit, "{} tokens, the context is {}; take a shorter window", count, model.context);
  }
  for (const int32_t id : ids) {
    if (id < 0 || id >= model.vocabulary) {
      fail(ErrorCode::usage, "token {}; the vocabulary has {} tokens, numbered from 0", id, model.vocabulary);
    }
  }
  const int64_t pages = (count + model.page_size - 1) / model.page_size;
  auto states = std::make_shared<StateSet>(*device, budget);
  states->set_size("places", (pages + 1) * model.page_size);
  states->set_size("slots", 2);
  Session forward(model.forward, device, states);
  for (int64_t begin = 0; begin < count; begin += rows) {
    const int64_t end = std::min(count, begin + rows);
    const Tensor logits = forward.run(step_inputs(ids, begin, end, pages, model.page_size)).front();
    for (int64_t i = begin; i < end; ++i) {
      see(i, {logits.as<float>() + (i - begin) * model.vocabulary, static_cast<size_t>(model.vocabulary)});
    }
  }
}

}  // namespace narae
