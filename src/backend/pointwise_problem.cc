// SPDX-License-Identifier: Apache-2.0
#include "backend/pointwise_problem.h"

#include <algorithm>

#include "backend/operand_placement.h"

namespace narae {
namespace {

bool broadcast_into(Dims& dims, const Dims& other) {
  if (other.size() > dims.size()) dims.insert(dims.begin(), other.size() - dims.size(), 1);
  const size_t shift = dims.size() - other.size();
  for (size_t i = 0; i < other.size(); ++i) {
    if (other[i] == 1) continue;
    if (dims[i + shift] != 1 && dims[i + shift] != other[i]) return false;
    dims[i + shift] = other[i];
  }
  return true;
}

// A row result keeps its reduced axes as ones, or has lost them.
bool is_row_result(const PointwiseProblem& problem, const Dims& output) {
  const std::vector<int64_t>& axes = problem.body.lowered.row_axes;
  Dims kept = problem.dims, dropped;
  for (size_t i = 0; i < problem.dims.size(); ++i) {
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) != axes.end();
    if (reduced) kept[i] = 1;
    if (!reduced) dropped.push_back(problem.dims[i]);
  }
  return !axes.empty() && (output == kept || output == dropped);
}

// Row ops must read rows as long as those gone through.
bool rows_are_whole(const PointwiseProblem& problem, const NodeDims& dims) {
  for (const Value* value : problem.body.lowered.row_operands) {
    const Dims operand = evaluate(value->shape(), *dims.symbols);
    if (operand.size() != problem.dims.size()) return false;
    for (const int64_t axis : problem.body.lowered.row_axes) {
      if (operand[static_cast<size_t>(axis)] != problem.dims[static_cast<size_t>(axis)]) return false;
    }
  }
  return true;
}

}  // namespace

std::optional<PointwiseProblem> pointwise_problem(const Node& node, const NodeDims& dims) {
  std::optional<ScalarBody> body = scalar_body(node);
  if (!body || body->operands.empty()) return std::nullopt;
  PointwiseProblem problem{std::move(*body), {}};
  for (const size_t i : problem.body.operands) {
    if (!broadcast_into(problem.dims, dims.inputs[i])) return std::nullopt;
  }
  for (const Dims& output : dims.outputs) {
    if (output != problem.dims && !is_row_result(problem, output)) return std::nullopt;
  }
  const bool rows = !problem.body.lowered.row_axes.empty();
  if (rows && (element_count(problem.dims) == 0 || !rows_are_whole(problem, dims))) return std::nullopt;
  return problem;
}

std::vector<int64_t> result_strides(const PointwiseProblem& problem, const Dims& output, const Layout& layout) {
  if (output == problem.dims) return operand_strides(output, output, layout);
  const std::vector<int64_t>& axes = problem.body.lowered.row_axes;
  std::vector<int64_t> strides(problem.dims.size(), 0);
  int64_t stride = 1;
  for (size_t i = problem.dims.size(); i-- > 0;) {
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) != axes.end()) continue;
    strides[i] = stride;
    stride *= problem.dims[i];
  }
  return strides;
}

void move_rows_last(const std::vector<int64_t>& axes, std::vector<int64_t>& values) {
  std::vector<int64_t> first, last;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool row = std::find(axes.begin(), axes.end(), static_cast<int64_t>(i)) != axes.end();
    (row ? last : first).push_back(values[i]);
  }
  first.insert(first.end(), last.begin(), last.end());
  values = std::move(first);
}

bool keeps_zero(const PointwiseProblem& problem, const NodeDims& dims, const Layout& layout) {
  const ScalarProgram& program = problem.body.lowered.program;
  for (const size_t i : problem.body.operands) {
    if (operand_layout(dims.inputs[i], problem.dims, layout).is_plain()) return false;
  }
  const float zero = 0;
  std::vector<float> results(program.outputs.size(), 1.0f);
  std::vector<ScalarOperand> inputs(program.inputs.size(), {&zero, 0});
  std::vector<float*> outputs;
  for (float& result : results) outputs.push_back(&result);
  evaluate_row(program, 1, inputs.data(), outputs.data());
  return std::all_of(results.begin(), results.end(), [](float x) { return x == 0; });
}

ScalarProgram masked(const ScalarProgram& program) {
  const auto first = static_cast<uint16_t>(program.inputs.size());
  const auto moved = [&](uint16_t reg) { return static_cast<uint16_t>(reg >= first ? reg + 1 : reg); };
  ScalarProgram result;
  result.inputs = program.inputs;
  const uint16_t mask = result.input();
  for (const ScalarInstr& instr : program.body) {
    const int operands = scalar_op_operands(instr.op);
    result.emit(instr.op, operands > 0 ? moved(instr.a) : 0, operands > 1 ? moved(instr.b) : 0,
                operands > 2 ? moved(instr.c) : 0, instr.imm[0], instr.imm[1]);
  }
  const uint16_t zero = result.constant(0.0f);
  for (const ScalarOutput& output : program.outputs) {
    result.output(result.emit(ScalarOp::select, mask, moved(output.reg), zero), output.type);
  }
  return result;
}

}  // namespace narae
