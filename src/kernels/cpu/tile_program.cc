// SPDX-License-Identifier: Apache-2.0
// Choice of steps and places. A register's class is the union of its operands' classes, so what is the same for every
// row or column is computed once per tile.
#include "kernels/cpu/tile_program.h"

#include <algorithm>

namespace narae::cpu {
namespace {

using Place = TileValue::Place;

ScalarClass join(ScalarClass a, ScalarClass b) {
  if (a == b || b == ScalarClass::scalar) return a;
  if (a == ScalarClass::scalar) return b;
  return ScalarClass::full;
}

struct Builder {
  const ScalarProgram& program;
  const ScalarSteps& steps;
  int64_t max_rows, max_columns;
  TileProgram out;
  std::vector<int> value_of;                // register -> value
  std::vector<int> uses;                    // register -> reads left (outputs count)
  std::vector<std::vector<int64_t>> free_;  // free scratch offsets, by class

  int64_t slot_floats(ScalarClass shape) const {
    const int64_t columns = shape == ScalarClass::full || shape == ScalarClass::column ? max_columns : 1;
    const int64_t rows = shape == ScalarClass::full || shape == ScalarClass::row ? max_rows : 1;
    return (rows * columns + 15) / 16 * 16;
  }
  int new_value(ScalarClass shape, Place place, int64_t index) {
    out.values.push_back({shape, place, index});
    return static_cast<int>(out.values.size()) - 1;
  }
  int new_scratch(ScalarClass shape) {
    auto& spare = free_[static_cast<int>(shape)];
    if (!spare.empty()) {
      const int64_t offset = spare.back();
      spare.pop_back();
      return new_value(shape, Place::scratch, offset);
    }
    const int64_t offset = out.scratch_floats;
    out.scratch_floats += slot_floats(shape);
    return new_value(shape, Place::scratch, offset);
  }
  void drop_use(int reg) {
    if (--uses[reg] > 0) return;
    const TileValue& value = out.values[value_of[reg]];
    if (value.place == Place::scratch) free_[static_cast<int>(value.shape)].push_back(value.index);
  }
  int copy_to(int value, ScalarClass shape, int dst) {
    TileInstr instr;
    instr.step = steps.step[step_index(ScalarOp::copy)];
    instr.shape = shape;
    instr.operands = 1;
    instr.in[0] = static_cast<uint16_t>(value);
    instr.dst = static_cast<uint16_t>(dst);
    out.code.push_back(instr);
    return dst;
  }
};

// What the program becomes after pairs are fused: an instruction that is skipped belongs to its only reader.
struct Fusion {
  FusedStep step = FusedStep::none;
  bool as_fma = false;
  bool skipped = false;
  uint16_t in[3] = {0, 0, 0};
};

std::vector<Fusion> fuse_pairs(const ScalarProgram& program, const std::vector<int>& uses) {
  const int inputs = static_cast<int>(program.inputs.size());
  std::vector<Fusion> fusions(program.body.size());
  for (size_t i = 0; i < program.body.size(); i++) {
    const ScalarInstr& instr = program.body[i];
    if (uses[instr.dst] == 0) continue;  // dead, so it is not among the counted readers
    auto only_reader_of = [&](uint16_t reg, ScalarOp op) {
      return reg >= inputs && uses[reg] == 1 && program.body[reg - inputs].op == op && !fusions[reg - inputs].skipped &&
             fusions[reg - inputs].step == FusedStep::none && !fusions[reg - inputs].as_fma;
    };
    if ((instr.op == ScalarOp::relu || instr.op == ScalarOp::clip) && only_reader_of(instr.a, ScalarOp::add)) {
      const ScalarInstr& sum = program.body[instr.a - inputs];
      fusions[instr.a - inputs].skipped = true;
      fusions[i].step = instr.op == ScalarOp::relu ? FusedStep::add_relu : FusedStep::add_clip;
      fusions[i].in[0] = sum.a, fusions[i].in[1] = sum.b;
    } else if (instr.op == ScalarOp::add) {
      const bool first = only_reader_of(instr.a, ScalarOp::mul);
      if (!first && !only_reader_of(instr.b, ScalarOp::mul)) continue;
      const uint16_t product = first ? instr.a : instr.b, other = first ? instr.b : instr.a;
      const ScalarInstr& mul = program.body[product - inputs];
      fusions[product - inputs].skipped = true;
      fusions[i].as_fma = true;
      fusions[i].in[0] = mul.a, fusions[i].in[1] = mul.b, fusions[i].in[2] = other;
    }
  }
  return fusions;
}

// The last instruction that reads a full input: outputs are written in place from there on.
int last_full_read(const ScalarProgram& program, const std::vector<Fusion>& fusions,
                   const std::vector<ScalarClass>& classes) {
  int last = -1;
  auto full_input = [&](uint16_t reg) { return reg < program.inputs.size() && classes[reg] == ScalarClass::full; };
  for (size_t i = 0; i < program.body.size(); i++) {
    if (fusions[i].skipped) continue;
    const bool fused = fusions[i].step != FusedStep::none || fusions[i].as_fma;
    const uint16_t own[3] = {program.body[i].a, program.body[i].b, program.body[i].c};
    const uint16_t* in = fused ? fusions[i].in : own;
    const int operands = fusions[i].as_fma ? 3 : fused ? 2 : scalar_op_operands(program.body[i].op);
    for (int k = 0; k < operands; k++)
      if (full_input(in[k])) last = static_cast<int>(i);
  }
  for (const auto& output : program.outputs)
    if (full_input(output.reg)) last = static_cast<int>(program.body.size());
  return last;
}

void lower_instr(Builder& b, size_t i, const Fusion& fusion, int direct_output) {
  const ScalarInstr& instr = b.program.body[i];
  const bool fused = fusion.step != FusedStep::none || fusion.as_fma;
  const uint16_t own[3] = {instr.a, instr.b, instr.c};
  const uint16_t* regs = fused ? fusion.in : own;
  TileInstr t;
  t.operands = static_cast<uint8_t>(fusion.as_fma ? 3 : fused ? 2 : scalar_op_operands(instr.op));
  t.step = b.steps.step[fusion.as_fma ? step_index(ScalarOp::fma)
                        : fused       ? step_index(ScalarOp::add, fusion.step)
                                      : step_index(instr.op)];
  t.imm[0] = instr.imm[0], t.imm[1] = instr.imm[1];
  ScalarClass shape = ScalarClass::scalar;
  for (int k = 0; k < t.operands; k++) {
    t.in[k] = static_cast<uint16_t>(b.value_of[regs[k]]);
    shape = join(shape, b.out.values[t.in[k]].shape);
  }
  if (is_row_reduction(instr.op)) {
    // The step reads real columns, so what is the same in all of them is spread first.
    if (shape == ScalarClass::row || shape == ScalarClass::scalar)
      t.in[0] = static_cast<uint16_t>(b.copy_to(t.in[0], ScalarClass::full, b.new_scratch(ScalarClass::full)));
    shape = shape == ScalarClass::column ? ScalarClass::scalar : ScalarClass::row;
  }
  t.shape = shape;
  t.reduction = is_row_reduction(instr.op);
  // Operands that end here hand their place on, because steps may write where they read.
  if (!t.reduction)
    for (int k = 0; k < t.operands; k++) b.drop_use(regs[k]);
  const bool direct = direct_output >= 0 && shape == ScalarClass::full;
  const int dst = direct ? b.new_value(shape, Place::output, direct_output) : b.new_scratch(shape);
  if (t.reduction) b.drop_use(regs[0]);
  t.dst = static_cast<uint16_t>(dst);
  b.value_of[instr.dst] = dst;
  b.out.code.push_back(t);
}

// The step of a row reduction writes and reads different shapes; a constant is a value, not a step.
void lower_body(Builder& b, const std::vector<ScalarClass>& input_classes,
                const std::vector<ScalarClass>& output_classes) {
  const ScalarProgram& program = b.program;
  const std::vector<Fusion> fusions = fuse_pairs(program, b.uses);
  const int safe_from = last_full_read(program, fusions, input_classes);
  for (size_t i = 0; i < program.inputs.size(); i++)
    b.value_of[i] = b.new_value(input_classes[i], Place::input, static_cast<int64_t>(i));
  for (size_t i = 0; i < program.body.size(); i++) {
    const ScalarInstr& instr = program.body[i];
    if (fusions[i].skipped || b.uses[instr.dst] == 0) continue;
    if (instr.op == ScalarOp::constant) {
      b.out.constants.push_back(instr.imm[0]);
      b.value_of[instr.dst] =
          b.new_value(ScalarClass::scalar, Place::constant, static_cast<int64_t>(b.out.constants.size()) - 1);
      continue;
    }
    int direct = -1;
    for (size_t k = 0; k < program.outputs.size() && static_cast<int>(i) >= safe_from; k++)
      if (program.outputs[k].reg == instr.dst && output_classes[k] == ScalarClass::full && direct < 0)
        direct = static_cast<int>(k);
    lower_instr(b, i, fusions[i], direct);
  }
  for (size_t k = 0; k < program.outputs.size(); k++) {
    const int value = b.value_of[program.outputs[k].reg];
    const TileValue& v = b.out.values[value];
    if (v.place == Place::output && v.index == static_cast<int64_t>(k)) continue;
    b.copy_to(value, output_classes[k], b.new_value(output_classes[k], Place::output, static_cast<int64_t>(k)));
  }
}

// Reads of every register, after dead instructions are taken out.
std::vector<int> count_uses(const ScalarProgram& program) {
  std::vector<int> uses(static_cast<size_t>(program.register_count()), 0);
  for (const auto& output : program.outputs) uses[output.reg]++;
  for (size_t i = program.body.size(); i-- > 0;) {
    const ScalarInstr& instr = program.body[i];
    if (uses[instr.dst] == 0) continue;
    const uint16_t regs[] = {instr.a, instr.b, instr.c};
    for (int k = 0; k < scalar_op_operands(instr.op); k++) uses[regs[k]]++;
  }
  return uses;
}

StepOperand bind(const TileValue& value, const TileProgram& program, const StepOperand* inputs,
                 const TileOutput* outputs, float* scratch, int64_t columns) {
  StepOperand o;
  o.broadcast = value.shape == ScalarClass::row || value.shape == ScalarClass::scalar;
  switch (value.place) {
    case Place::input:
      o.data = inputs[value.index].data;
      o.row_stride = inputs[value.index].row_stride;
      break;
    case Place::output:
      o.data = outputs[value.index].data;
      o.row_stride = outputs[value.index].row_stride;
      return o;
    case Place::constant: o.data = program.constants.data() + value.index; break;
    case Place::scratch:
      o.data = scratch + value.index;
      o.row_stride = value.shape == ScalarClass::full ? columns : 1;
      break;
  }
  if (value.shape == ScalarClass::column || value.shape == ScalarClass::scalar) o.row_stride = 0;
  return o;
}

// Rows without gaps are one long row, and one value per row is a row of values; both save a turn per row.
void merge_rows(StepArgs& s, const TileInstr& instr) {
  if (s.rows == 1) return;
  if (instr.shape == ScalarClass::row) {
    if (s.out_stride != 1) return;
    for (int k = 0; k < instr.operands; k++)
      if (s.in[k].row_stride > 1 || s.in[k].row_stride < 0) return;
    for (int k = 0; k < instr.operands; k++) s.in[k].broadcast = s.in[k].row_stride == 0;
    s.columns = s.rows, s.rows = 1;
    return;
  }
  if (s.out_stride != s.columns) return;
  for (int k = 0; k < instr.operands; k++) {
    const bool one_value = s.in[k].broadcast && s.in[k].row_stride == 0;
    if (!one_value && (s.in[k].broadcast || s.in[k].row_stride != s.columns)) return;
  }
  s.columns *= s.rows, s.rows = 1;
}

}  // namespace

TileProgram make_tile_program(const ScalarProgram& program, const ScalarSteps& steps,
                              const std::vector<ScalarClass>& input_classes,
                              const std::vector<ScalarClass>& output_classes, int64_t max_rows, int64_t max_columns) {
  Builder b{program, steps, max_rows, max_columns, {}, {}, count_uses(program), {}};
  b.value_of.assign(static_cast<size_t>(program.register_count()), -1);
  b.free_.resize(4);
  lower_body(b, input_classes, output_classes);
  if (static_cast<int>(b.out.values.size()) > max_tile_values)
    b.out.error = "the body has too many instructions for one tile program";
  return b.out;
}

void run_tile(const TileProgram& program, const StepOperand* inputs, const TileOutput* outputs, float* scratch,
              int64_t rows, int64_t columns) {
  StepOperand bound[max_tile_values];
  for (size_t v = 0; v < program.values.size(); v++)
    bound[v] = bind(program.values[v], program, inputs, outputs, scratch, columns);
  for (const TileInstr& instr : program.code) {
    StepArgs s;
    for (int k = 0; k < instr.operands; k++) s.in[k] = bound[instr.in[k]];
    s.out = const_cast<float*>(bound[instr.dst].data);
    s.out_stride = bound[instr.dst].row_stride;
    s.imm[0] = instr.imm[0], s.imm[1] = instr.imm[1];
    s.rows = instr.shape == ScalarClass::full || instr.shape == ScalarClass::row ? rows : 1;
    s.columns = instr.shape == ScalarClass::full || instr.shape == ScalarClass::column ? columns : 1;
    if (instr.reduction)
      s.columns = columns;
    else
      merge_rows(s, instr);
    instr.step(s);
  }
}

}  // namespace narae::cpu
