// SPDX-License-Identifier: Apache-2.0
// A convolution with what cuDNN fuses behind it, as execution plans of its graph API. Plans are kept by problem: a
// network has many equal convolutions, and one may take a second to build.
#pragma once

#include <map>
#include <memory>

#include "backend/cuda/dnn_library.h"
#include "tensor/dim.h"
#include "tensor/dtype.h"
#include "tensor/scalar_program.h"

namespace narae::cuda {

struct ConvProblem {
  DType type = DType::f32, result = DType::f32;  // of x, w and residual; of y
  Dims x, w, y;                                  // logical; x and w with padded channels
  bool channels_last = true;
  std::vector<int64_t> strides, dilations, pads_before, pads_after;
  bool bias = false, residual = false;
  ScalarOp act = ScalarOp::copy;  // relu, clip (from 0 to act_limit), silu; copy: none
  float act_limit = 0;
  bool tf32 = false;  // f32 may be rounded to 11 bits
  std::string key() const;
};

// Pointers of a launch in the order of these.
struct ConvPointers {
  void *x = nullptr, *w = nullptr, *bias = nullptr, *residual = nullptr, *y = nullptr;
};

class ConvPlan {
 public:
  // `config`: an engine configuration of the library's for this problem's graph.
  ConvPlan(const DnnLibrary& dnn, cudnnBackendDescriptor_t config, bool bias, bool residual);
  size_t workspace_bytes() const { return workspace_bytes_; }
  void run(const ConvPointers& pointers, void* workspace, cudaStream_t stream) const;

 private:
  const DnnLibrary& dnn_;
  DnnDescriptor plan_;
  size_t workspace_bytes_ = 0;
  bool bias_, residual_;
};

class ConvPlans {
 public:
  explicit ConvPlans(std::shared_ptr<const DnnLibrary> dnn) : dnn_(std::move(dnn)) {}
  bool available() const { return dnn_->available(); }
  // The library's plan number `rank` for the problem; null where it has fewer. Thread-safe.
  std::shared_ptr<const ConvPlan> get(const ConvProblem& problem, size_t rank);

 private:
  struct Known;
  std::unique_ptr<Known> query(const ConvProblem& problem) const;
  std::shared_ptr<const DnnLibrary> dnn_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Known>> known_;
};

}  // namespace narae::cuda
