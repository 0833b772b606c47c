// SPDX-License-Identifier: Apache-2.0
// A ScalarProgram made ready to run over one tile of rows x columns in f32: steps chosen, registers given places, pairs
// fused. Made once, ahead of time; running it allocates nothing. An output may lie on the memory of a full input (same
// start and stride): it is then written only after the last read of any full input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cpu/scalar_interp.h"

namespace narae::cpu {

// Longer bodies must be cut by the caller.
inline constexpr int max_tile_values = 192;

struct TileInstr {
  StepFn step = nullptr;
  ScalarClass shape = ScalarClass::full;  // what it computes: the whole tile, one row, one column, one value
  uint8_t operands = 0;
  bool reduction = false;  // reads all columns of its operand, writes one value per row
  uint16_t dst = 0;
  uint16_t in[3] = {0, 0, 0};
  float imm[2] = {0, 0};
};

struct TileValue {
  enum class Place : uint8_t { input, output, constant, scratch };
  ScalarClass shape = ScalarClass::full;
  Place place = Place::scratch;
  int64_t index = 0;  // of the input, output or constant; in scratch: the offset in floats
};

struct TileOutput {
  float* data = nullptr;
  int64_t row_stride = 0;
};

struct TileProgram {
  const char* error = nullptr;  // why there is none
  std::vector<TileInstr> code;
  std::vector<TileValue> values;
  std::vector<float> constants;
  int64_t scratch_floats = 0;
};

// input_classes overrides the classes named in the program; an output is ScalarClass::full, or row for one value a row.
TileProgram make_tile_program(const ScalarProgram& program, const ScalarSteps& steps,
                              const std::vector<ScalarClass>& input_classes,
                              const std::vector<ScalarClass>& output_classes, int64_t max_rows, int64_t max_columns);

// inputs[i]: class full data[row * row_stride + column]; row data[row * row_stride]; column data[column]; scalar
// data[0]. Only data and row_stride are read. outputs[k]: full as above, row data[row * row_stride].
void run_tile(const TileProgram& program, const StepOperand* inputs, const TileOutput* outputs, float* scratch,
              int64_t rows, int64_t columns);

}  // namespace narae::cpu
