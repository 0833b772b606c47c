// SPDX-License-Identifier: Apache-2.0
// The rest is lowered as one program and its head is taken off again where registers can do it.
#include "backend/contraction_body.h"

#include <algorithm>
#include <unordered_set>

#include "backend/lower_scalar.h"

namespace narae {
namespace {

// Takes scale, bias, residual and activation off the head of body.rest.
class Peeler {
 public:
  Peeler(ContractionBody& body, const NodeDims& dims, const Dims& result)
      : body_(body), dims_(dims), result_(result), uses_(count_uses(body.rest)) {}

  void run(bool take_scale, bool take_bias, bool take_residual) {
    const ScalarProgram& program = body_.rest;
    skip_copies();
    if (take_scale && is_scaled()) {
      body_.scale = program.body[0].imm[0];
      at_ = 1;
      advance();
    }
    if (take_bias && at_ < program.body.size()) {
      if (const int input = added_input(ScalarClass::column); input > 0 && is_bias(input)) {
        body_.bias = body_.rest_operands[static_cast<size_t>(input)];
        advance();
      }
    }
    if (take_residual && at_ < program.body.size()) {
      if (const int input = added_input(ScalarClass::full); input > 0 && operand_dims(input) == result_) {
        body_.residual = body_.rest_operands[static_cast<size_t>(input)];
        advance();
      }
    }
    if (at_ < program.body.size() && is_act(program.body[at_]) && program.body[at_].a == current_ && used_once()) {
      body_.act = program.body[at_];
      advance();
    }
    skip_copies();
    cut();
  }

 private:
  static std::vector<int> count_uses(const ScalarProgram& program) {
    std::vector<int> uses(static_cast<size_t>(program.register_count()), 0);
    for (const ScalarInstr& instr : program.body) {
      const uint16_t regs[] = {instr.a, instr.b, instr.c};
      for (int k = 0; k < scalar_op_operands(instr.op); ++k) ++uses[regs[k]];
    }
    for (const ScalarOutput& output : program.outputs) ++uses[output.reg];
    return uses;
  }
  static bool is_act(const ScalarInstr& instr) {
    return instr.op == ScalarOp::relu || instr.op == ScalarOp::clip || instr.op == ScalarOp::hard_swish ||
           instr.op == ScalarOp::leaky_relu;
  }
  bool used_once() const { return uses_[current_] == 1; }
  const Dims& operand_dims(int input) const {
    return dims_.inputs[static_cast<size_t>(body_.rest_operands[static_cast<size_t>(input)])];
  }
  // One value per column, the same for all images.
  bool is_bias(int input) const {
    const Dims& dims = operand_dims(input);
    return element_count(dims) == *std::max_element(dims.begin(), dims.end());
  }
  // The program begins with a constant and a product of it and the result.
  bool is_scaled() const {
    const std::vector<ScalarInstr>& body = body_.rest.body;
    if (body.size() < 2 || body[0].op != ScalarOp::constant || body[1].op != ScalarOp::mul) return false;
    const uint16_t factor = body[0].dst;
    const bool product =
        (body[1].a == current_ && body[1].b == factor) || (body[1].a == factor && body[1].b == current_);
    return product && used_once() && uses_[factor] == 1;
  }
  // The program input of this class that the next instruction adds to the current value; -1: it does something else.
  int added_input(ScalarClass broadcast) const {
    const ScalarInstr& instr = body_.rest.body[at_];
    if (instr.op != ScalarOp::add || !used_once() || (instr.a != current_ && instr.b != current_)) return -1;
    const uint16_t other = instr.a == current_ ? instr.b : instr.a;
    if (other == 0 || other >= body_.rest.inputs.size()) return -1;
    return body_.rest.inputs[other].broadcast == broadcast ? other : -1;
  }
  void skip_copies() {
    const std::vector<ScalarInstr>& body = body_.rest.body;
    while (at_ < body.size() && body[at_].op == ScalarOp::copy && body[at_].a == current_ && used_once()) advance();
  }
  void advance() { current_ = body_.rest.body[at_++].dst; }
  // Leaves the instructions not taken, over the current value as input 0.
  void cut() {
    ScalarProgram& program = body_.rest;
    if (at_ == program.body.size() && program.outputs[0].reg == current_) {
      program.outputs.clear();
      return;
    }
    if (at_ == 0) return;
    const size_t inputs = program.inputs.size();
    const auto moved = [&](uint16_t reg) {
      if (reg == current_) return uint16_t{0};
      return static_cast<uint16_t>(reg < inputs ? reg : reg - at_);
    };
    ScalarProgram rest;
    rest.inputs = program.inputs;
    for (size_t i = at_; i < program.body.size(); ++i) {
      const ScalarInstr& instr = program.body[i];
      const int operands = scalar_op_operands(instr.op);
      rest.emit(instr.op, operands > 0 ? moved(instr.a) : 0, operands > 1 ? moved(instr.b) : 0,
                operands > 2 ? moved(instr.c) : 0, instr.imm[0], instr.imm[1]);
    }
    for (const ScalarOutput& output : program.outputs) rest.output(moved(output.reg), output.type);
    program = std::move(rest);
  }

  ContractionBody& body_;
  const NodeDims& dims_;
  const Dims& result_;
  std::vector<int> uses_;
  size_t at_ = 0;
  uint16_t current_ = 0;
};

int operand_of(const Node& node, const Value* value) {
  if (!value) return -1;
  if (!node.is("fused")) {
    const auto found = std::find(node.inputs().begin(), node.inputs().end(), value);
    return static_cast<int>(found - node.inputs().begin());
  }
  const std::vector<Value*>& inputs = node.bodies()[0]->inputs();
  const auto found = std::find(inputs.begin(), inputs.end(), value);
  return found == inputs.end() ? -2 : static_cast<int>(found - inputs.begin());
}

// Sizes at which only what is always equal is equal and only what is always one is one. How operands vary over the
// result is told at these: a choice made at one size runs at every other.
SymbolValues generic_symbols(const Node& node) {
  std::vector<Dim> symbols;
  for (const Value* value : node.inputs()) {
    if (!value) continue;
    for (const Dim& dim : value->shape()) dim.collect_symbols(symbols);
  }
  for (const Value* value : node.outputs()) {
    for (const Dim& dim : value->shape()) dim.collect_symbols(symbols);
  }
  SymbolValues values;
  for (const Dim& symbol : symbols)
    values.emplace(symbol.symbol_name(), 9973 + 214 * static_cast<int64_t>(values.size()));
  return values;
}

// The value that a cast inside the body brings up to f32 for the anchor; else the value itself.
const Value* before_cast(const Node& node, const Value* value) {
  const Node* cast = value ? value->producer() : nullptr;
  if (!node.is("fused") || !cast || !cast->is("cast") || cast->input(0)->producer()) return value;
  return is_narrow(cast->input(0)->dtype()) ? cast->input(0) : value;
}

bool lower_rest(const Node& node, const NodeDims& dims, size_t part, const SpanOf& span_of, const BodyAbility& can,
                ContractionBody& body) {
  const Graph& graph = *node.bodies()[0];
  Value* const output = graph.outputs()[part];
  std::vector<const Node*> rest;
  for (const Node* inner : part_nodes(node, part)) {
    if (inner == body.anchor || inner == body.decoder) continue;
    const auto& users = inner->output(0)->users();
    const auto is_anchor = [](const Node* user) { return user->op().has(op_contraction); };  // of this part or another
    const bool feeds_anchor =
        can.narrow && inner->is("cast") && !users.empty() && std::all_of(users.begin(), users.end(), is_anchor);
    if (!feeds_anchor) rest.push_back(inner);
  }
  if (rest.empty()) return output == body.anchor->output(0);
  bool followed = true;
  const auto class_of = [&](const Value& value) {
    if (&value == body.anchor->output(0)) return ScalarClass::full;
    const int operand = operand_of(node, &value);
    const bool readable = value.dtype() == DType::f32 || (can.masks && value.dtype() == DType::boolean) ||
                          (can.narrow && is_narrow(value.dtype()));
    const std::optional<ScalarClass> span =
        operand < 0 || !readable ? std::nullopt : span_of(dims.inputs[static_cast<size_t>(operand)]);
    if (!span) followed = false;
    return span.value_or(ScalarClass::full);
  };
  const Value* leading[] = {body.anchor->output(0)};
  std::optional<LoweredScalar> lowered = lower_scalar(rest, {&output, 1}, leading, class_of);
  if (!lowered || !followed || !lowered->row_axes.empty()) return false;
  body.rest = std::move(lowered->program);
  body.rest_operands.assign(1, -1);
  for (size_t i = 1; i < lowered->inputs.size(); ++i) {
    body.rest_operands.push_back(operand_of(node, lowered->inputs[i]));
  }
  return true;
}

}  // namespace

std::vector<const Node*> part_nodes(const Node& node, size_t part) {
  if (!node.is("fused")) return {&node};
  const Graph& body = *node.bodies()[0];
  std::unordered_set<const Value*> needed{body.outputs()[part]};
  std::vector<const Node*> nodes;
  for (const Node* inner = body.last(); inner; inner = inner->previous()) {
    const auto is_needed = [&](const Value* value) { return needed.count(value) > 0; };
    if (std::none_of(inner->outputs().begin(), inner->outputs().end(), is_needed)) continue;
    needed.insert(inner->inputs().begin(), inner->inputs().end());
    nodes.push_back(inner);
  }
  std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

const Node* contraction_anchor(const Node& node, std::string_view op, size_t part) {
  const Node* anchor = nullptr;
  for (const Node* inner : part_nodes(node, part)) {
    if (!inner->op().has(op_contraction)) continue;
    if (anchor || !inner->is(op)) return nullptr;
    anchor = inner;
  }
  return anchor;
}

std::optional<ContractionBody> contraction_body(const Node& node, const NodeDims& dims, std::string_view anchor_op,
                                                const std::function<SpanOf(const Dims& result)>& spans, size_t part,
                                                const BodyAbility& can) {
  ContractionBody body;
  body.anchor = contraction_anchor(node, anchor_op, part);
  if (!body.anchor) return std::nullopt;
  const auto takes = [&](DType type) { return type == DType::f32 || (can.narrow && is_narrow(type)); };
  if (!takes(node.output(part)->dtype())) return std::nullopt;
  for (const Value* value : body.anchor->inputs()) {
    if (can.narrow) value = before_cast(node, value);
    if (value && !takes(value->dtype())) return std::nullopt;
    if (can.from_blocks && body.operands.size() == 1) {
      body.decoder = value->producer();
      if (!body.decoder || !body.decoder->is("dequantize_blocks")) return std::nullopt;
      value = body.decoder->input(0);
    }
    body.operands.push_back(operand_of(node, value));
    if (body.operands.back() == -2) return std::nullopt;  // made or held inside the body
  }
  body.result = evaluate(body.anchor->output(0)->shape(), *dims.symbols);
  if (dims.outputs[part] != body.result) return std::nullopt;
  if (!node.is("fused")) return body;
  const SymbolValues symbols = generic_symbols(node);
  NodeDims generic;  // not by node_dims(): these sizes are compared, never allocated
  generic.symbols = &symbols;
  for (const Value* value : node.inputs()) {
    generic.inputs.push_back(value ? evaluate(value->shape(), symbols) : Dims{});
  }
  for (const Value* value : node.outputs()) generic.outputs.push_back(evaluate(value->shape(), symbols));
  const Dims result = evaluate(body.anchor->output(0)->shape(), symbols);
  if (generic.outputs[part] != result) return std::nullopt;
  if (!lower_rest(node, generic, part, spans(result), can, body)) return std::nullopt;
  const bool has_bias = body.operands.size() > 2 && body.operands[2] >= 0;
  if (body.has_rest()) Peeler(body, generic, result).run(can.scale, !has_bias, can.residual);
  return body;
}

}  // namespace narae
