// SPDX-License-Identifier: Apache-2.0
#include "api/executor_state.h"

namespace narae::api {

ExecutorState::ExecutorState(std::shared_ptr<Runtime> runtime, LanguageModel model, int core_set,
                             const ExecutorOptions& options, double load_ms)
    : runtime_(std::move(runtime)), model_(std::move(model)) {
  executor_ = std::make_unique<Executor>(model_, std::vector{runtime_->device(core_set)}, &runtime_->budget(), options);
  info_.load_ms = load_ms;
  info_.weights_bytes = static_cast<uint64_t>(model_.forward->weights().bytes());
  info_.kv_bytes = static_cast<uint64_t>(executor_->kv_bytes());
  info_.context = executor_->context();
  info_.vocabulary = model_.vocabulary;
  info_.has_chat = model_.chat ? 1 : 0;
  reader_ = std::thread([this] { read(); });
}

void ExecutorState::close() {
  std::unique_ptr<Executor> executor;
  {
    const std::lock_guard<std::mutex> lock(gate_);
    executor = std::move(executor_);
  }
  executor.reset();  // everything has its ending after that
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
    bell_.notify_one();
  }
  if (reader_.joinable()) reader_.join();
}

void ExecutorState::enqueue(const std::shared_ptr<RequestState>& request) {
  if (request->calls_back()) {
    request->request()->out->on_news([this, key = request.get()] { ring(key); });
    const std::lock_guard<std::mutex> lock(mutex_);
    open_.emplace(request.get(), request);
  }
  Refusal refusal = Refusal::closed;
  {
    const std::lock_guard<std::mutex> lock(gate_);
    if (executor_) refusal = executor_->enqueue(request->request());
  }
  if (refusal == Refusal::none) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.erase(request.get());
  if (refusal == Refusal::full) {
    fail(ErrorCode::failed, "the queue is full; ask again when others have been answered, or raise max_queue");
  }
  fail(ErrorCode::usage, "the executor is being freed");
}

void ExecutorState::cancel(const RequestPtr& request) {
  const std::lock_guard<std::mutex> lock(gate_);
  if (executor_) executor_->cancel(request);
}

void ExecutorState::stop_branch(const RequestPtr& request, int32_t branch) {
  const std::lock_guard<std::mutex> lock(gate_);
  if (executor_) executor_->stop_branch(request, branch);
}

narae_executor_stats ExecutorState::stats() const {
  narae_executor_stats c = NARAE_EXECUTOR_STATS_INIT;
  const std::lock_guard<std::mutex> lock(gate_);
  if (!executor_) return c;
  const ExecutorStats stats = executor_->stats();
  c.queued = static_cast<int64_t>(executor_->queued());
  c.running = stats.admitted;
  c.steps = stats.steps;
  c.computed_tokens = stats.computed;
  c.cached_tokens = stats.cached;
  c.sampled_tokens = stats.sampled;
  c.preemptions = stats.preemptions;
  c.pages_used = stats.pages_used;
  c.pages_total = stats.pages_total;
  return c;
}

void ExecutorState::ring(RequestState* request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ready_.insert(request);
  bell_.notify_one();
}

void ExecutorState::read() {
  for (;;) {
    std::vector<std::shared_ptr<RequestState>> ready;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      bell_.wait(lock, [&] { return closing_ || !ready_.empty(); });
      if (ready_.empty()) return;
      for (RequestState* request : ready_) {
        if (const auto found = open_.find(request); found != open_.end()) ready.push_back(found->second);
      }
      ready_.clear();
    }
    for (const auto& request : ready) {
      if (!request->deliver()) continue;
      const std::lock_guard<std::mutex> lock(mutex_);
      open_.erase(request.get());
    }
  }
}

}  // namespace narae::api
