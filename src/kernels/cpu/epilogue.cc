// SPDX-License-Identifier: Apache-2.0
// Epilogues: a thin binding of a tile program to a hot tile.
#include "kernels/cpu/epilogue.h"

namespace narae::cpu {
namespace {
constexpr size_t max_operands = 16;
}

EpiloguePlan make_epilogue_plan(const ScalarProgram& program, const ScalarSteps& steps, int64_t max_rows,
                                int64_t max_columns) {
  EpiloguePlan plan;
  std::vector<ScalarClass> classes;
  for (const ScalarInput& in : program.inputs) {
    if (in.type != ScalarType::f32) plan.error = "an epilogue reads f32 only";
    classes.push_back(in.broadcast);
  }
  if (classes.empty() || classes[0] != ScalarClass::full)
    plan.error = "input 0 of an epilogue is the tile, so it is full";
  if (classes.size() > max_operands) plan.error = "an epilogue has at most 16 inputs";
  if (program.outputs.size() != 1 || program.outputs[0].type != ScalarType::f32)
    plan.error = "an epilogue has one output, f32";
  if (has_row_reduction(program)) plan.error = "an epilogue cannot reduce rows: a tile need not hold a whole one";
  if (plan.error) return plan;
  plan.program = make_tile_program(program, steps, classes, {ScalarClass::full}, max_rows, max_columns);
  plan.error = plan.program.error;
  plan.scratch_bytes = static_cast<size_t>(plan.program.scratch_floats) * sizeof(float);
  return plan;
}

void epilogue_run(const EpiloguePlan& plan, float* out, int64_t out_stride, const float* tile, int64_t tile_stride,
                  const StepOperand* operands, int64_t rows, int64_t columns, void* scratch) {
  StepOperand inputs[max_operands];
  inputs[0].data = tile;
  inputs[0].row_stride = tile_stride;
  for (const TileValue& value : plan.program.values)
    if (value.place == TileValue::Place::input && value.index > 0) inputs[value.index] = operands[value.index - 1];
  const TileOutput output{out, out_stride};
  run_tile(plan.program, inputs, &output, static_cast<float*>(scratch), rows, columns);
}

}  // namespace narae::cpu
