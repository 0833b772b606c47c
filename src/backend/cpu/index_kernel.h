// SPDX-License-Identifier: Apache-2.0
// Base of the kernels whose indices are data: one that lies outside its axis is noted while running, in any thread, and
// reported after the launch.
#pragma once

#include <atomic>
#include <string>

#include "backend/cpu/cpu_kernel.h"
#include "base/error.h"

namespace narae::cpu {

class IndexKernel : public CpuKernel {
 protected:
  // `complaint`: the text of the Error does_not_fit.
  IndexKernel(int threads, std::string complaint) : CpuKernel(threads), complaint_(std::move(complaint)) {}
  void begin(std::span<void* const>, void*) const final { outside_ = false; }
  void note_outside() const { outside_ = true; }
  void finish() const final {
    if (outside_) fail(ErrorCode::does_not_fit, "{}", complaint_);
  }

 private:
  std::string complaint_;
  mutable std::atomic<bool> outside_{false};
};

}  // namespace narae::cpu
