// SPDX-License-Identifier: Apache-2.0
// A ScalarProgram over a space of sizes, compiled and ready to launch on raw pointers.
#pragma once

#include <span>

#include "backend/cuda/scalar_text.h"
#include "backend/cuda/text_kernels.h"

namespace narae::cuda {

class ScalarKernel {
 public:
  // Throws Error does_not_fit for rows too long, failed where the text does not compile.
  ScalarKernel(TextKernels& kernels, const ScalarSpace& space);
  // Inputs then outputs of the program.
  void launch(cudaStream_t stream, std::span<void* const> pointers) const;

 private:
  ScalarText text_;
  int64_t vector_items_ = 0;
  cudaKernel_t vector_ = nullptr, plain_ = nullptr;
  std::vector<size_t> alignments_;  // in bytes, of each pointer for the vector kernel
};

}  // namespace narae::cuda
