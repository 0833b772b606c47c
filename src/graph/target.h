// SPDX-License-Identifier: Apache-2.0
// What a pass and the planner may know of the machine: data only, so it can be saved and used to build for another one.
// Feature names are strings that only backend/ and kernels/ spell.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tensor/dtype.h"

namespace narae {

struct Target {
  std::string device;                 // backend's name, such as "cpu"
  std::string isa;                    // level the kernels are chosen by
  std::vector<std::string> features;  // all that was detected
  std::vector<DType> dtypes;          // types its kernels compute in
  int64_t l1_bytes = 32 << 10, l2_bytes = 1 << 20, l3_bytes = 32 << 20;
  int cores = 1;
  // Preferred block of the channel axis for contractions; 1: none.
  int channel_block = 1;
  // Products with weights in blocks bring the other operand to 8 bits first; else everything is f32. The owner's
  // choice, not part of the fingerprint.
  bool int8_activations = true;
  // What products and convolutions of f32 compute in: empty (f32), "tf32", "fp16" or "bf16" (then the values between
  // them are stored so too). The owner's choice.
  std::string precision;
  // Measured (or, before calibration, assumed) peaks, never part of the fingerprint: arithmetic and L2 of one core,
  // memory of all cores together.
  double fma_flops = 1e11, int8_ops = 0, l2_bytes_per_s = 8e10, dram_bytes_per_s = 2e10;
  bool calibrated = false;

  // Values between nodes are stored in 16 bits.
  bool narrow() const { return precision == "fp16" || precision == "bf16"; }

  // Identifies what timings hold for: device, features, caches, cores.
  uint64_t fingerprint() const;
};

}  // namespace narae
