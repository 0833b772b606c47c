// SPDX-License-Identifier: Apache-2.0
// Base of the CPU's kernels: a subclass gives tasks() and run() on a range; the stream hands the ranges out.
#pragma once

#include <memory>

#include "backend/cpu/core_pool.h"
#include "backend/reference_tactic.h"
#include "backend/tactic.h"

namespace narae::cpu {

// Runs at once, in the calling thread and the pool.
class CpuStream final : public HostStream {
 public:
  explicit CpuStream(CorePool& pool) : pool_(pool) {}
  CorePool& pool() { return pool_; }
  void host(std::function<void()> work) override { work(); }
  void copy(void* to, const void* from, size_t bytes) override;
  void record(Event&) override {}
  void wait(const Event&) override {}
  void synchronize() override {}

 private:
  CorePool& pool_;
};

class CpuKernelGroup;

// A choice made at some sizes need not cover all others: throws Error does_not_fit naming the node where it does not.
void require_covered(bool covered, const Node& node);

class CpuKernel : public Kernel {
 public:
  explicit CpuKernel(int threads) : threads_(threads) {}
  // Scratch of all threads and the shared workspace.
  size_t workspace_bytes() const final { return static_cast<size_t>(threads_) * rounded_scratch() + shared_bytes(); }
  void launch(Stream& stream, std::span<void* const> operands, void* workspace) const final;

 protected:
  // Units of parallel work; tasks are independent of each other.
  virtual int64_t tasks() const = 0;
  virtual size_t scratch_bytes() const { return 0; }  // for each thread
  virtual size_t shared_bytes() const { return 0; }   // one for the launch
  // Serial work on tasks [begin, end). Called by several threads at once.
  virtual void run(std::span<void* const> operands, void* scratch, void* shared, int64_t begin, int64_t end) const = 0;
  // Parallel work that all tasks need done first; none: 0.
  virtual int64_t preparations() const { return 0; }
  virtual void prepare(std::span<void* const> operands, void* shared, int64_t begin, int64_t end) const {}
  // Before all that, by one thread.
  virtual void begin(std::span<void* const> operands, void* shared) const {}
  // After the tasks, by one thread: where a kernel reports what it found in its operands. May throw Error.
  virtual void finish() const {}

 private:
  friend class CpuKernelGroup;
  size_t rounded_scratch() const { return (scratch_bytes() + 63) / 64 * 64; }
  int threads_;
};

// Several kernels over the same operands as one task range. None has a shared workspace.
class CpuKernelGroup final : public CpuKernel {
 public:
  CpuKernelGroup(int threads, std::vector<std::unique_ptr<CpuKernel>> parts);

 protected:
  int64_t tasks() const override { return first_.back(); }
  size_t scratch_bytes() const override { return scratch_; }
  void run(std::span<void* const> operands, void* scratch, void* shared, int64_t begin, int64_t end) const override;

 private:
  std::vector<std::unique_ptr<CpuKernel>> parts_;
  std::vector<int64_t> first_{0};  // task of every part, and the end
  size_t scratch_ = 0;
};

}  // namespace narae::cpu
