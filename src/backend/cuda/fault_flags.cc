// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/fault_flags.h"

#include <algorithm>
#include <cstring>

#include "backend/cuda/cuda_error.h"
#include "base/error.h"

namespace narae::cuda {
namespace {
constexpr size_t limit = 4096;
}

FaultFlags::FaultFlags() {
  void* memory = nullptr;
  narae::cuda::check(cudaHostAlloc(&memory, limit * sizeof(int32_t), cudaHostAllocMapped | cudaHostAllocPortable),
                     "memory for faults");
  std::memset(memory, 0, limit * sizeof(int32_t));
  flags_ = static_cast<int32_t*>(memory);
}

FaultFlags::~FaultFlags() { cudaFreeHost(flags_); }

int32_t* FaultFlags::flag(const std::string& message) {
  const std::lock_guard lock(mutex_);
  const auto [at, fresh] = known_.try_emplace(message, std::min(messages_.size(), limit - 1));
  if (fresh && messages_.size() < limit) messages_.push_back(message);
  return flags_ + at->second;
}

void FaultFlags::check() {
  const std::lock_guard lock(mutex_);
  // Written by the device behind the compiler's back.
  const volatile int32_t* flags = flags_;
  for (size_t i = 0; i < messages_.size(); ++i) {
    if (flags[i] == 0) continue;
    std::memset(flags_, 0, limit * sizeof(int32_t));
    fail(ErrorCode::does_not_fit, "{}", messages_[i]);
  }
}

}  // namespace narae::cuda
