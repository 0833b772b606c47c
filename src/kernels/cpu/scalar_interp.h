// SPDX-License-Identifier: Apache-2.0
// The vector kernels behind ScalarProgram on CPUs: one per instruction, each over a tile of rows x columns. They know
// nothing of programs; pointwise.h binds registers to memory and calls them in order. A step may write over the tile it
// reads (same start and stride), because it reads a place before it writes it.
#pragma once

#include <cstdint>
#include <string_view>

#include "tensor/scalar_program.h"

namespace narae::cpu {

struct StepOperand {
  const float* data = nullptr;
  int64_t row_stride = 0;  // floats; 0: every row reads the same
  bool broadcast = false;  // one value per row: data[row * row_stride]
};

struct StepArgs {
  float* out = nullptr;
  int64_t out_stride = 0;
  StepOperand in[3];
  float imm[2] = {0, 0};
  int64_t rows = 1, columns = 0;
};

using StepFn = void (*)(const StepArgs&);

// Steps that no ScalarOp names: pairs that would otherwise pass over the tile twice.
enum class FusedStep : uint8_t { none, add_relu, add_clip };
inline constexpr int step_count = scalar_op_count + 2;
inline constexpr int step_index(ScalarOp op, FusedStep fused = FusedStep::none) {
  return fused == FusedStep::none ? static_cast<int>(op) : scalar_op_count + static_cast<int>(fused) - 1;
}

struct ScalarSteps {
  int lanes = 0;
  StepFn step[step_count] = {};  // indexed by step_index(); none is null but `constant`
  // n contiguous elements between a storage type (indexed by ScalarType) and f32.
  void (*load[8])(const void* source, float* out, int64_t n) = {};
  void (*store[8])(const float* source, void* out, int64_t n) = {};
};

// The steps for an ISA name of known_isas(); null for an unknown one. It does not ask what the machine supports.
const ScalarSteps* scalar_steps(std::string_view isa);

extern const ScalarSteps scalar_steps_portable, scalar_steps_avx2, scalar_steps_avx512;

}  // namespace narae::cpu
