// SPDX-License-Identifier: Apache-2.0
// A ScalarProgram over the output tile of a convolution or GEMM while it is hot. Input 0 of the program is the tile;
// the others are what their class in the program says (a bias is a column, a residual is full). f32 only, one output.
#pragma once

#include "kernels/cpu/tile_program.h"

namespace narae::cpu {

struct EpiloguePlan {
  const char* error = nullptr;
  TileProgram program;
  size_t scratch_bytes = 0;  // per thread
};

// The tile never has more than max_rows rows or max_columns columns.
EpiloguePlan make_epilogue_plan(const ScalarProgram& program, const ScalarSteps& steps, int64_t max_rows,
                                int64_t max_columns);

// out[row * out_stride + column] = program(tile[row * tile_stride + column], ...). out may be the tile itself, or the
// memory of a full operand. operands[i] belongs to input i + 1, addressed as run_tile() says.
void epilogue_run(const EpiloguePlan& plan, float* out, int64_t out_stride, const float* tile, int64_t tile_stride,
                  const StepOperand* operands, int64_t rows, int64_t columns, void* scratch);

}  // namespace narae::cpu
