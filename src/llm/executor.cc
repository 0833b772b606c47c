// SPDX-License-Identifier: Apache-2.0
#include "llm/executor.h"

#include <algorithm>

#include "base/error.h"

namespace narae {
namespace {

constexpr int64_t usual_tokens = 8192;  // that the pages hold unless told otherwise

}  // namespace

Executor::Executor(LanguageModel model, std::shared_ptr<Device> device, MemoryBudget* budget,
                   const ExecutorOptions& options)
    : model_(std::move(model)), queue_(std::make_shared<Queue>(options.queue)) {
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
  batcher_ = std::make_unique<TokenBatcher>(batch);
  auto states = std::make_shared<StateSet>(*device, budget);
  states->set_size("places", pages * size);
  states->set_size("slots", batcher_->slots());
  for (const Value* state : model_.forward->lowered().graph->states()) {
    states->state(state->name(), states->bytes_of(*state));
  }
  kv_bytes_ = states->state_bytes();
  runner_ = std::make_unique<TokenRunner>(model_, std::move(device), std::move(states));
  worker_ = std::make_unique<Worker>(queue_, 0, *batcher_, *runner_, clock_);
  thread_ = std::thread([this] { worker_->run(); });
}

Executor::~Executor() {
  queue_->stop();
  if (thread_.joinable()) thread_.join();
}

void Executor::drain() {
  queue_->close();
  if (thread_.joinable()) thread_.join();
}

}  // namespace narae
