// SPDX-License-Identifier: Apache-2.0
// What the kernels of oneDNN's tactics share: plans, scratch, and failures, which come out after the launch.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/onednn_library.h"
#include "backend/cpu/tactics.h"

namespace narae::cpu {

// Of a level whose oneDNN tactics proposed something.
const OnednnTable& require_table(const CpuLevel& level);

class OnednnKernel : public CpuKernel {
 protected:
  OnednnKernel(int threads, const OnednnTable& table) : CpuKernel(threads), table_(table) {}
  size_t scratch_bytes() const final { return scratch_; }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const final;
  void finish() const final;
  // False: oneDNN failed.
  virtual bool run_task(std::span<void* const> operands, void* scratch, int64_t task) const = 0;

  // `plan` null: Error that oneDNN refuses this `what`. First that of the slices before the last, then, where it
  // differs, that of the last.
  void add_plan(OnednnPlan* plan, const char* what);
  OnednnPlan* plan(bool last) const { return (last ? plans_.back() : plans_.front()).get(); }
  const OnednnTable& table_;

 private:
  std::vector<std::unique_ptr<OnednnPlan, OnednnPlanCloser>> plans_;
  size_t scratch_ = 0;
  mutable std::atomic<bool> failed_{false};
};

}  // namespace narae::cpu
