// SPDX-License-Identifier: Apache-2.0
// Pointwise bodies and row reductions over strided operands of any rank and storage type: dimensions are collapsed
// once, then tasks (tiles of about 1024 elements) run in any order on any thread. The one thing not to get wrong: an
// output may share memory with an input only element by element (same type, same strides).
#pragma once

#include "kernels/cpu/tile_program.h"

namespace narae::cpu {

inline constexpr int max_pointwise_dims = 8;       // after collapsing
inline constexpr int max_pointwise_operands = 64;  // inputs and outputs together

struct PointwiseOperand {
  ScalarType type = ScalarType::f32;
  ScalarClass shape = ScalarClass::full;
  bool staged = false;       // goes through scratch: not f32, or gaps between columns
  int64_t stage_offset = 0;  // floats
  int64_t row_stride = 0, column_stride = 0;
  int64_t outer_strides[max_pointwise_dims] = {};
};

struct PointwisePlan {
  const char* error = nullptr;  // why there is none
  const ScalarSteps* steps = nullptr;
  TileProgram program;
  int outer_rank = 0;
  int64_t outer_dims[max_pointwise_dims] = {};
  int64_t rows = 1, columns = 1;            // of the two innermost collapsed dimensions
  int64_t row_tile = 1, column_tile = 1;    // a task is row_tile x column_tile of them
  int64_t row_tiles = 1, column_tiles = 1;  // tasks per outer index
  std::vector<PointwiseOperand> inputs, outputs;
  int64_t tasks = 0;
  size_t scratch_bytes = 0;  // per thread
};

// Strides count elements, 0 = broadcast, one vector per operand and one entry per dim. In a program with row reductions
// the last `row_dims` dims are the row; an output that is one value per row has stride 0 there.
PointwisePlan make_pointwise_plan(const ScalarProgram& program, const ScalarSteps& steps,
                                  const std::vector<int64_t>& dims,
                                  const std::vector<std::vector<int64_t>>& input_strides,
                                  const std::vector<std::vector<int64_t>>& output_strides, int row_dims = 1);

void pointwise_run(const PointwisePlan& plan, const void* const* inputs, void* const* outputs, void* scratch,
                   int64_t task_begin, int64_t task_end);

}  // namespace narae::cpu
