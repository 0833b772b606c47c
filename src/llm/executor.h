// SPDX-License-Identifier: Apache-2.0
// A language model that answers: requests go into its Queue from any thread; a Worker for each device batches them in
// flight and writes tokens into their Sinks.
#pragma once

#include <thread>

#include "batch/worker.h"
#include "llm/sampling_params.h"
#include "llm/token_batcher.h"
#include "llm/token_runner.h"

namespace narae {

struct ExecutorOptions {
  int32_t max_batch = 8;      // sequences of a step
  int32_t step_tokens = 512;  // token rows of a step
  int64_t kv_pages = 0;       // 0: for 8192 tokens, or one whole context where that is less
  bool prefix_cache = true;
  Time turn = 0;  // us that a step with prompts takes about, for the sake of others on the same cores; 0: step_tokens
  QueueLimits queue;
};

// Sums over its devices.
struct ExecutorStats {
  int64_t steps = 0, computed = 0, cached = 0, sampled = 0, preemptions = 0;
  int64_t live = 0, admitted = 0, pages_used = 0, pages_idle = 0, pages_total = 0;
};

class Executor {
 public:
  // Each device gets states and KV pages of its own and shares the weights. States are taken from `budget` where one is
  // given; it and the devices' runtime must live as long. Throws Error usage for options that cannot be, does_not_fit
  // when the states do not.
  Executor(LanguageModel model, const std::vector<std::shared_ptr<Device>>& devices, MemoryBudget* budget,
           const ExecutorOptions& options);
  ~Executor() { stop(); }
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  const LanguageModel& model() const { return model_; }
  int64_t context() const { return context_; }  // tokens that one sequence can have here
  // What would fail a request: Error usage for parameters and tokens that cannot be, does_not_fit for a prompt beyond
  // the context. Any thread.
  void check(std::span<const int32_t> prompt, const SamplingParams& params) const;
  // Any thread. `request->params` are SamplingParams. A refused request is untouched.
  Refusal enqueue(const RequestPtr& request) { return queue_->push(request, clock_.now()); }
  void cancel(const RequestPtr& request) { queue_->cancel(request, clock_.now()); }
  // Ends one branch where it is, as a stop id does: its reader found a stop string.
  void stop_branch(const RequestPtr& request, int32_t branch) { queue_->stop_branch(request, branch); }
  // Answers what is there and refuses what comes; blocks until all is answered.
  void drain();
  // Cancels what is there and refuses what comes; blocks until all is answered.
  void stop();

  ExecutorStats stats() const;
  int64_t kv_bytes() const { return kv_bytes_; }
  size_t queued() const { return queue_->size(); }
  Time now() const { return clock_.now(); }

 private:
  struct Instance {
    Instance(Executor& executor, int lane, std::shared_ptr<Device> device, MemoryBudget* budget,
             const TokenBatchOptions& options);
    TokenBatcher batcher;
    std::shared_ptr<StateSet> states;
    TokenRunner runner;
    Worker worker;
    std::thread thread;
  };
  void join();

  LanguageModel model_;
  SteadyClock clock_;
  int64_t context_ = 0, kv_bytes_ = 0;
  std::shared_ptr<Queue> queue_;
  std::vector<std::unique_ptr<Instance>> instances_;
};

}  // namespace narae
