// SPDX-License-Identifier: Apache-2.0
// The loop of serving, the same for tensors and tokens: one Batcher, one Runner, up to `depth` steps in flight (1 where
// the device works in the caller's thread). An error of a step fails that step's requests only.
#pragma once

#include "batch/batcher.h"
#include "batch/runner.h"

namespace narae {

class Worker {
 public:
  Worker(std::shared_ptr<Queue> queue, int lane, Batcher& batcher, Runner& runner, const Clock& clock, size_t depth = 1)
      : queue_(std::move(queue)), lane_(lane), batcher_(batcher), runner_(runner), clock_(clock), depth_(depth) {}

  // Until the Queue is closed and all is answered.
  void run();
  // One round; it waits for nothing but a step's results. False: there was nothing to do.
  bool turn();
  uint64_t steps() const { return steps_.load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<Queue> queue_;
  int lane_;
  Batcher& batcher_;
  Runner& runner_;
  const Clock& clock_;
  size_t depth_;
  Arrivals arrivals_;
  std::vector<Step*> flight_;  // oldest first
  uint64_t completed_ = 0;     // the last step that was
  std::atomic<uint64_t> steps_{0};
};

}  // namespace narae
