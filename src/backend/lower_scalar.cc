// SPDX-License-Identifier: Apache-2.0
// Inputs are collected before the first instruction, because a program numbers its inputs first.
#include "backend/lower_scalar.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "backend/lower_rows.h"

namespace narae {
namespace {

bool held_exactly(DType type) {
  return type == DType::f32 || type == DType::f16 || type == DType::bf16 || type == DType::boolean;
}

using NodeSet = std::unordered_set<const Node*>;

bool read_by(const Value& value, const NodeSet& inside) {
  return std::any_of(value.users().begin(), value.users().end(),
                     [&](const Node* user) { return inside.count(user) > 0; });
}

// May this node stand in a program of the nodes `inside`, seen from its types alone?
bool types_survive(const Node& node, const NodeSet& inside) {
  const bool cast = node.is("cast");
  const Value* result = node.output(0);
  for (const Value* value : node.inputs()) {
    if (!value || !scalar_type(value->dtype())) return false;
    if (!cast && !held_exactly(value->dtype())) return false;
  }
  if (!scalar_type(result->dtype())) return false;
  if (!cast) return held_exactly(result->dtype());
  // Integers through f32 keep their value only on the way to a float or a truth value.
  const DType from = node.input(0)->dtype(), to = result->dtype();
  if (!held_exactly(from) && !is_float(to) && to != DType::boolean) return false;
  if (to == DType::f32 || to == DType::boolean) return true;
  // A rounding in the middle of a program would be lost.
  return !read_by(*result, inside);
}

class Lowering {
 public:
  explicit Lowering(const ScalarClassOf& class_of) : class_of_(class_of) {}

  bool add_input(const Value* value) {
    if (registers_.count(value)) return true;
    const std::optional<ScalarType> type = scalar_type(value->dtype());
    if (!type) return false;
    registers_[value] = lowered_.program.input(class_of_ ? class_of_(*value) : ScalarClass::full, *type);
    lowered_.inputs.push_back(value);
    return true;
  }
  bool add_node(const Node& node) {
    std::vector<uint16_t> operands;
    for (const Value* value : node.inputs()) operands.push_back(operand(value));
    std::optional<uint16_t> result;
    if (node.is("cast")) {
      result = cast(node, operands[0]);
    } else if (node.op().scalar) {
      result = node.op().scalar(node, lowered_.program, operands);
    } else {
      result = lower_row_op(node, lowered_.program, operands, lowered_.row_axes);
      lowered_.row_operands.push_back(node.input(0));
    }
    if (!result) return false;
    registers_[node.output(0)] = *result;
    return true;
  }
  std::optional<LoweredScalar> finish(std::span<Value* const> outputs) {
    for (const Value* value : outputs) {
      const auto found = registers_.find(value);
      if (found == registers_.end()) return std::nullopt;
      uint16_t reg = found->second;
      // An output names an instruction's register; an input handed through is copied.
      if (reg < lowered_.program.inputs.size()) reg = lowered_.program.emit(ScalarOp::copy, reg);
      lowered_.program.output(reg, *scalar_type(value->dtype()));
    }
    if (!scalar_program_error(lowered_.program).empty()) return std::nullopt;
    return std::move(lowered_);
  }

 private:
  uint16_t operand(const Value* value) {
    if (const auto found = registers_.find(value); found != registers_.end()) return found->second;
    double scalar = 0;
    value->scalar_constant(scalar);
    return registers_[value] = lowered_.program.constant(static_cast<float>(scalar));
  }
  uint16_t cast(const Node& node, uint16_t x) {
    const DType from = node.input(0)->dtype(), to = node.output(0)->dtype();
    ScalarProgram& program = lowered_.program;
    if (to == DType::boolean && from != DType::boolean) return program.emit(ScalarOp::ne, x, program.constant(0.0f));
    if (is_float(from) && !is_float(to)) {
      const uint16_t whole = program.emit(ScalarOp::trunc, x);
      return program.emit(ScalarOp::select, program.emit(ScalarOp::is_nan, x), program.constant(0.0f), whole);
    }
    return x;  // registers hold f32 whatever the operand is stored as
  }

  const ScalarClassOf& class_of_;
  LoweredScalar lowered_;
  std::unordered_map<const Value*, uint16_t> registers_;
};

bool has_scalar_form(const Node& node) {
  if (node.outputs().size() != 1) return false;
  return node.op().scalar || node.is("cast") || is_row_op(node);
}

}  // namespace

std::optional<ScalarType> scalar_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return ScalarType::f32;
    case DType::f16: return ScalarType::f16;
    case DType::bf16: return ScalarType::bf16;
    case DType::i32: return ScalarType::i32;
    case DType::i64: return ScalarType::i64;
    case DType::i8: return ScalarType::i8;
    case DType::u8: return ScalarType::u8;
    case DType::boolean: return ScalarType::boolean;
    default: return std::nullopt;
  }
}

std::optional<LoweredScalar> lower_scalar(std::span<const Node* const> nodes, std::span<Value* const> outputs,
                                          std::span<const Value* const> leading, const ScalarClassOf& class_of) {
  Lowering lowering(class_of);
  for (const Value* value : leading) {
    if (!lowering.add_input(value)) return std::nullopt;
  }
  const NodeSet inside(nodes.begin(), nodes.end());
  std::unordered_set<const Value*> made;
  for (const Node* node : nodes) {
    if (!has_scalar_form(*node) || !types_survive(*node, inside)) return std::nullopt;
    double scalar = 0;
    // A reduced axis that is gone no longer lines up with the others.
    if (!node->op().scalar && !node->is("cast") && node->output(0)->rank() != node->input(0)->rank() &&
        read_by(*node->output(0), inside)) {
      return std::nullopt;
    }
    for (const Value* value : node->inputs()) {
      if (made.count(value) || value->scalar_constant(scalar)) continue;
      if (!lowering.add_input(value)) return std::nullopt;
    }
    made.insert(node->output(0));
  }
  for (const Node* node : nodes) {
    if (!lowering.add_node(*node)) return std::nullopt;
  }
  return lowering.finish(outputs);
}

std::optional<ScalarBody> scalar_body(const Node& node) {
  std::vector<const Node*> nodes;
  const bool fused = node.is("fused");
  if (fused) {
    for (const Node* inner = node.bodies()[0]->first(); inner; inner = inner->next()) nodes.push_back(inner);
  } else {
    nodes.push_back(&node);
  }
  for (const Node* inner : nodes) {
    if (!has_scalar_form(*inner)) return std::nullopt;  // most nodes are told apart here
  }
  ScalarBody body;
  std::optional<LoweredScalar> lowered =
      lower_scalar(nodes, fused ? std::span<Value* const>(node.bodies()[0]->outputs()) : node.outputs());
  if (!lowered) return std::nullopt;
  body.lowered = std::move(*lowered);
  const std::vector<Value*>& operands = fused ? node.bodies()[0]->inputs() : node.inputs();
  for (const Value* value : body.lowered.inputs) {
    const auto found = std::find(operands.begin(), operands.end(), value);
    if (found == operands.end()) return std::nullopt;  // a constant with contents inside the body
    body.operands.push_back(static_cast<size_t>(found - operands.begin()));
  }
  return body;
}

}  // namespace narae
