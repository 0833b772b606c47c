// SPDX-License-Identifier: Apache-2.0
// One account for all memory that Narae takes on purpose (weights, arenas, I/O): admission refuses with the arithmetic
// instead of running out. A limit of 0 admits everything.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/error.h"

namespace narae {

class MemoryBudget {
 public:
  explicit MemoryBudget(int64_t limit = 0) : limit_(limit) {}

  // Throws does_not_fit: "needs 300 bytes for arena, 800 of 1000 are taken".
  void take(int64_t bytes, const std::string& what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (limit_ > 0 && taken_ + bytes > limit_) {
      fail(ErrorCode::does_not_fit, "{} needs {} bytes, but {} of the memory limit of {} are taken; raise the limit",
           what, bytes, taken_, limit_);
    }
    taken_ += bytes;
  }
  void give_back(int64_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    taken_ -= bytes;
  }
  int64_t taken() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return taken_;
  }
  int64_t limit() const { return limit_; }

 private:
  mutable std::mutex mutex_;
  int64_t limit_;
  int64_t taken_ = 0;
};

// A share of the budget that goes back by itself.
class BudgetShare {
 public:
  BudgetShare() = default;
  ~BudgetShare() {
    if (budget_) budget_->give_back(bytes_);
  }
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;
  // Replaces what it held; on failure it holds nothing.
  void set(MemoryBudget* budget, int64_t bytes, const std::string& what) {
    if (budget_) budget_->give_back(bytes_);
    budget_ = nullptr;
    if (!budget) return;
    budget->take(bytes, what);
    budget_ = budget;
    bytes_ = bytes;
  }

 private:
  MemoryBudget* budget_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace narae
