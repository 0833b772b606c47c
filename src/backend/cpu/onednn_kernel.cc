// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn_kernel.h"

#include <algorithm>

#include "base/error.h"

namespace narae::cpu {

const OnednnTable& require_table(const CpuLevel& level) {
  const OnednnTable* table = level.onednn ? level.onednn->table() : nullptr;
  NARAE_CHECK(table);
  return *table;
}

void OnednnKernel::run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const {
  for (int64_t task = begin; task < end; ++task) {
    if (!run_task(operands, scratch, task)) failed_.store(true, std::memory_order_relaxed);
  }
}

void OnednnKernel::finish() const {
  if (failed_.exchange(false)) fail(ErrorCode::failed, "oneDNN failed: build the engine again on this machine");
}

void OnednnKernel::add_plan(OnednnPlan* plan, const char* what) {
  if (!plan) fail(ErrorCode::failed, "oneDNN refuses this {}", what);
  plans_.emplace_back(plan, OnednnPlanCloser{&table_});
  scratch_ = std::max(scratch_, table_.scratch_bytes(plan));
}

}  // namespace narae::cpu
