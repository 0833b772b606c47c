// SPDX-License-Identifier: Apache-2.0
#include "llm/executor.h"

#include <algorithm>

#include "base/error.h"
#include "llm/prompt.h"

namespace narae {
namespace {

constexpr int64_t usual_tokens = 8192;  // that the pages hold unless told otherwise

std::shared_ptr<StateSet> make_states(const LanguageModel& model, Device& device, MemoryBudget* budget,
                                      const TokenBatcher& batcher) {
  auto states = std::make_shared<StateSet>(device, budget);
  states->set_size("places", int64_t{batcher.options().groups[0].pages} * model.page_size);
  states->set_size("slots", batcher.slots());
  for (const Value* state : model.forward->lowered().graph->states()) {
    states->state(state->name(), states->bytes_of(*state));
  }
  return states;
}

}  // namespace

Executor::Instance::Instance(Executor& executor, int lane, std::shared_ptr<Device> device, MemoryBudget* budget,
                             const TokenBatchOptions& options)
    : batcher(options),
      states(make_states(executor.model_, *device, budget, batcher)),
      runner(executor.model_, std::move(device), states),
      worker(executor.queue_, lane, batcher, runner, executor.clock_) {}

Executor::Executor(LanguageModel model, const std::vector<std::shared_ptr<Device>>& devices, MemoryBudget* budget,
                   const ExecutorOptions& options)
    : model_(std::move(model)), queue_(std::make_shared<Queue>(options.queue, static_cast<int>(devices.size()))) {
  const int64_t size = model_.page_size;
  const int64_t pages = options.kv_pages > 0 ? options.kv_pages : std::min(model_.context, usual_tokens) / size + 2;
  if (pages < 2 || pages > INT32_MAX / size) {
    fail(ErrorCode::usage, "{} KV pages of {} tokens; give from 2 to {}", pages, size, INT32_MAX / size);
  }
  context_ = std::min(model_.context, (pages - 1) * size);
  TokenBatchOptions batch;
  batch.vocabulary = model_.vocabulary;
  batch.context = context_;
  batch.max_batch = options.max_batch;
  batch.step_tokens = options.step_tokens;
  batch.prefix_cache = options.prefix_cache;
  batch.groups = {{"kv", static_cast<int32_t>(size), static_cast<int32_t>(pages)}};
  for (size_t lane = 0; lane < devices.size(); ++lane) {
    instances_.push_back(std::make_unique<Instance>(*this, static_cast<int>(lane), devices[lane], budget, batch));
    instances_.back()->batcher.set_turn(options.turn);
    kv_bytes_ += instances_.back()->states->state_bytes();
  }
  for (const auto& instance : instances_) {
    instance->thread = std::thread([&worker = instance->worker] { worker.run(); });
  }
}

void Executor::check(std::span<const int32_t> prompt, const SamplingParams& params) const {
  check_sampling(params, model_.vocabulary, instances_.front()->batcher.options().max_branches);
  check_prompt(prompt, model_.vocabulary, context_);
}

void Executor::stop() {
  queue_->stop();
  join();
}

void Executor::drain() {
  queue_->close();
  join();
}

void Executor::join() {
  for (const auto& instance : instances_) {
    if (instance->thread.joinable()) instance->thread.join();
  }
}

ExecutorStats Executor::stats() const {
  ExecutorStats sum;
  for (const auto& instance : instances_) {
    const TokenStats& one = instance->batcher.stats();
    sum.steps += one.steps;
    sum.computed += one.computed;
    sum.cached += one.cached;
    sum.sampled += one.sampled;
    sum.preemptions += one.preemptions;
    sum.live += one.live;
    sum.admitted += one.admitted;
    sum.pages_used += one.pages_used;
    sum.pages_idle += one.pages_idle;
    sum.pages_total += one.pages_total;
  }
  return sum;
}

}  // namespace narae
