// SPDX-License-Identifier: Apache-2.0
// This backend's tactics, made from cuda_tactics.inc; each is one class in one file.
#pragma once

#include <algorithm>
#include <memory>

#include "backend/cuda/blas_library.h"
#include "backend/cuda/conv_plan.h"
#include "backend/cuda/fault_flags.h"
#include "backend/cuda/text_kernels.h"
#include "backend/tactic.h"

namespace narae::cuda {

// What tactics need of the device they were made for.
struct CudaLevel {
  int ordinal = 0;
  bool tf32 = false;  // products of f32 may round their operands to 11 bits
  bool deterministic = false;
  std::shared_ptr<FaultFlags> faults;
  std::shared_ptr<TextKernels> texts;
  std::shared_ptr<BlasLibrary> blas;
  std::shared_ptr<DnnLibrary> dnn;
  std::shared_ptr<ConvPlans> convs;
};

#define NARAE_TACTIC(name, file) std::unique_ptr<Tactic> make_##name##_tactic(const CudaLevel& level);
#include "backend/cuda/cuda_tactics.inc"
#undef NARAE_TACTIC

// Seconds of one launch that does so much; launches in a row cost some microseconds each.
inline double launch_seconds(const Target& target, double flops, double peak_flops, double bytes) {
  const double memory = bytes / std::max(target.dram_bytes_per_s, 1e9);
  return 2e-6 + std::max(memory, flops / peak_flops);
}

}  // namespace narae::cuda
