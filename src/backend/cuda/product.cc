// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/product.h"

#include "backend/lower_scalar.h"
#include "backend/operand_placement.h"
#include "base/error.h"

namespace narae::cuda {
namespace {

ScalarType stored_as(const Value& value) {
  const std::optional<ScalarType> type = scalar_type(value.dtype());
  NARAE_CHECK(type.has_value());
  return *type;
}

}  // namespace

ScalarProgram whole_tail(const ContractionBody& body, const std::vector<ScalarInput>& first, ScalarType result) {
  ScalarProgram program;
  program.inputs = first;
  if (body.has_rest())
    program.inputs.insert(program.inputs.end(), body.rest.inputs.begin() + 1, body.rest.inputs.end());
  uint16_t current = 0;
  for (uint16_t i = 1; i < first.size(); ++i) current = program.emit(ScalarOp::add, current, i);
  if (body.act) current = program.emit(body.act->op, current, 0, 0, body.act->imm[0], body.act->imm[1]);
  const size_t inputs = body.rest.inputs.size();
  const auto moved = [&, steps = program.body.size()](uint16_t r) {
    if (r == 0) return current;
    return static_cast<uint16_t>(r < inputs ? r + first.size() - 1 : r + first.size() - 1 + steps);
  };
  if (body.has_rest()) {
    for (const ScalarInstr& instr : body.rest.body) {
      const int operands = scalar_op_operands(instr.op);
      program.emit(instr.op, operands > 0 ? moved(instr.a) : 0, operands > 1 ? moved(instr.b) : 0,
                   operands > 2 ? moved(instr.c) : 0, instr.imm[0], instr.imm[1]);
    }
    current = moved(body.rest.outputs[0].reg);
  }
  program.output(current, result);
  return program;
}

std::optional<ScalarClass> product_span(const Dims& result, const Dims& operand, int column_axis) {
  if (element_count(operand) == 1) return ScalarClass::scalar;
  if (operand.size() > result.size()) return std::nullopt;
  const size_t shift = result.size() - operand.size();
  const size_t axis = column_axis < 0 ? result.size() - 1 : static_cast<size_t>(column_axis);
  bool column = true;
  for (size_t i = 0; i < operand.size(); ++i) {
    if (operand[i] != 1 && operand[i] != result[i + shift]) return std::nullopt;
    if (operand[i] != 1 && i + shift != axis) column = false;
  }
  return column ? ScalarClass::column : ScalarClass::full;
}

std::optional<ContractionBody> product_body(const Node& node, const NodeDims& dims, std::string_view anchor_op,
                                            int column_axis, bool from_blocks, size_t part) {
  const auto spans = [column_axis](const Dims& result) -> SpanOf {
    return [result, column_axis](const Dims& operand) { return product_span(result, operand, column_axis); };
  };
  BodyAbility can;
  can.narrow = true;
  can.masks = true;
  can.scale = true;
  can.from_blocks = from_blocks;
  return contraction_body(node, dims, anchor_op, spans, part, can);
}

void place_tail(const NodeDims& dims, const ContractionBody& body, Choice& choice) {
  const Layout& result = choice.outputs[0];
  if (body.residual >= 0) choice.inputs[static_cast<size_t>(body.residual)] = result;
  for (const int operand : body.rest_operands) {
    if (operand < 0) continue;
    const auto i = static_cast<size_t>(operand);
    choice.inputs[i] = operand_layout(dims.inputs[i], body.result, result);
  }
}

ProductTail::ProductTail(TextKernels& texts, const Node& node, const NodeDims& dims, const ContractionBody& body,
                         const Done& done, const Layout& layout, int bias_axis, size_t part) {
  ContractionBody left = body;
  if (done.bias) left.bias = -1;
  if (done.residual) left.residual = -1;
  if (done.act) left.act.reset();
  if (left.bias < 0 && left.residual < 0 && !left.act && !left.has_rest()) return;
  const ScalarType type = stored_as(*node.output(part));
  const std::vector<int64_t> own = operand_strides(body.result, body.result, layout);
  ScalarSpace space;
  space.dims = stored_dims(body.result, layout);
  std::vector<ScalarInput> first{{ScalarClass::full, type}};
  space.inputs.push_back(own);
  operands_.push_back(-1);
  const auto add = [&](int operand, bool along_axis) {
    const Dims& given = dims.inputs[static_cast<size_t>(operand)];
    Dims as_read = given;
    if (along_axis && given.size() == 1) {
      as_read.assign(body.result.size(), 1);
      as_read[static_cast<size_t>(bias_axis)] = given[0];
    }
    operands_.push_back(operand);
    space.inputs.push_back(operand_strides(as_read, body.result, layout));
  };
  for (const int operand : {left.bias, left.residual}) {
    if (operand < 0) continue;
    first.push_back({ScalarClass::full, stored_as(*node.input(static_cast<size_t>(operand)))});
    add(operand, operand == left.bias && bias_axis >= 0);
  }
  for (size_t i = 1; left.has_rest() && i < left.rest_operands.size(); ++i) add(left.rest_operands[i], false);
  space.program = whole_tail(left, first, type);
  space.outputs.push_back(own);
  kernel_.emplace(texts, space);
}

void ProductTail::launch(cudaStream_t stream, std::span<void* const> operands, void* result) const {
  if (!kernel_) return;
  void* pointers[40];
  size_t count = 0;
  for (const int operand : operands_) pointers[count++] = operand < 0 ? result : operands[static_cast<size_t>(operand)];
  pointers[count++] = result;
  kernel_->launch(stream, {pointers, count});
}

}  // namespace narae::cuda
