// SPDX-License-Identifier: Apache-2.0
// A launcher of kernels/cuda as a Kernel: its arguments, but for the pointers, are known at prepare time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "backend/tactic.h"

namespace narae::cuda {

template <typename Args>
class OwnKernel final : public Kernel {
 public:
  using Run = cudaError_t (*)(const Args&, cudaStream_t);
  // Puts a launch's pointers into its arguments.
  using Bind = std::function<void(Args&, std::span<void* const> operands, void* workspace)>;
  OwnKernel(Run run, const Args& args, std::string what, Bind bind, size_t workspace_bytes = 0)
      : run_(run), args_(args), what_(std::move(what)), bind_(std::move(bind)), workspace_bytes_(workspace_bytes) {}
  // A result that is this operand with some elements changed: copied first where it lies elsewhere.
  void carry(size_t operand, size_t result, size_t bytes) { carried_.push_back({operand, result, bytes}); }
  size_t workspace_bytes() const override { return workspace_bytes_; }
  void launch(Stream& stream, std::span<void* const> operands, void* workspace) const override {
    for (const Carried& one : carried_) {
      if (operands[one.operand] != operands[one.result])
        stream.copy(operands[one.result], operands[one.operand], one.bytes);
    }
    Args args = args_;
    bind_(args, operands, workspace);
    check(run_(args, handle_of(stream)), what_);
  }

 private:
  struct Carried {
    size_t operand, result, bytes;
  };
  Run run_;
  Args args_;
  std::string what_;
  Bind bind_;
  size_t workspace_bytes_;
  std::vector<Carried> carried_;
};

// Pointers of a launch as the arguments' types.
struct Pointer {
  void* p;
  template <typename T>
  operator T*() const {
    return static_cast<T*>(p);
  }
};
inline Pointer at(std::span<void* const> operands, int i) {
  return {i < 0 ? nullptr : operands[static_cast<size_t>(i)]};
}

}  // namespace narae::cuda
