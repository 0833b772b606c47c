// SPDX-License-Identifier: Apache-2.0
#include "backend/lower_rows.h"

#include <array>
#include <string_view>

#include "ops/layer_norm.h"
#include "ops/reduce.h"
#include "ops/softmax.h"

namespace narae {
namespace {

using Operands = std::span<const uint16_t>;
using Emit = uint16_t (*)(const Node&, ScalarProgram&, Operands);

uint16_t emit_sum(const Node&, ScalarProgram& p, Operands x) { return p.emit(ScalarOp::row_sum, x[0]); }
uint16_t emit_mean(const Node&, ScalarProgram& p, Operands x) { return p.emit(ScalarOp::row_mean, x[0]); }
uint16_t emit_max(const Node&, ScalarProgram& p, Operands x) { return p.emit(ScalarOp::row_max, x[0]); }
uint16_t emit_min(const Node&, ScalarProgram& p, Operands x) { return p.emit(ScalarOp::row_min, x[0]); }
uint16_t emit_l1(const Node&, ScalarProgram& p, Operands x) {
  return p.emit(ScalarOp::row_sum, p.emit(ScalarOp::abs, x[0]));
}
uint16_t emit_sum_square(const Node&, ScalarProgram& p, Operands x) {
  return p.emit(ScalarOp::row_sum, p.emit(ScalarOp::square, x[0]));
}
uint16_t emit_l2(const Node& n, ScalarProgram& p, Operands x) {
  return p.emit(ScalarOp::sqrt, emit_sum_square(n, p, x));
}
uint16_t emit_log_sum(const Node& n, ScalarProgram& p, Operands x) { return p.emit(ScalarOp::log, emit_sum(n, p, x)); }

// x - max and exp(x - max) of a row.
struct Shifted {
  uint16_t x, exp;
};
Shifted shift(ScalarProgram& p, uint16_t x) {
  const uint16_t moved = p.emit(ScalarOp::sub, x, p.emit(ScalarOp::row_max, x));
  return {moved, p.emit(ScalarOp::exp, moved)};
}
uint16_t emit_softmax(const Node&, ScalarProgram& p, Operands x) {
  const Shifted row = shift(p, x[0]);
  return p.emit(ScalarOp::div, row.exp, p.emit(ScalarOp::row_sum, row.exp));
}
uint16_t emit_log_softmax(const Node&, ScalarProgram& p, Operands x) {
  const Shifted row = shift(p, x[0]);
  return p.emit(ScalarOp::sub, row.x, p.emit(ScalarOp::log, p.emit(ScalarOp::row_sum, row.exp)));
}

// (x - mean) / sqrt(variance + epsilon), then scale and bias.
uint16_t finish_norm(const Node& node, ScalarProgram& p, Operands x, uint16_t centred) {
  const auto epsilon = static_cast<float>(node.attributes<LayerNormAttributes>().epsilon);
  const uint16_t variance = p.emit(ScalarOp::row_mean, p.emit(ScalarOp::square, centred));
  const uint16_t factor = p.emit(ScalarOp::rsqrt, p.emit(ScalarOp::add, variance, p.constant(epsilon)));
  uint16_t y = p.emit(ScalarOp::mul, centred, factor);
  if (x.size() > 1) y = p.emit(ScalarOp::mul, y, x[1]);
  if (x.size() > 2) y = p.emit(ScalarOp::add, y, x[2]);
  return y;
}
uint16_t emit_layer_norm(const Node& n, ScalarProgram& p, Operands x) {
  return finish_norm(n, p, x, p.emit(ScalarOp::sub, x[0], p.emit(ScalarOp::row_mean, x[0])));
}
uint16_t emit_rms_norm(const Node& n, ScalarProgram& p, Operands x) { return finish_norm(n, p, x, x[0]); }

std::vector<int64_t> norm_axes(const Node& node) {
  std::vector<int64_t> axes;
  for (int64_t i = node.attributes<LayerNormAttributes>().axis; i < node.input(0)->rank(); ++i) axes.push_back(i);
  return axes;
}
std::vector<int64_t> reduce_axes(const Node& node) { return node.attributes<ReduceAttributes>().axes; }
std::vector<int64_t> softmax_axes(const Node& node) { return {node.attributes<SoftmaxAttributes>().axis}; }

struct RowOp {
  std::string_view name;
  Emit emit;
  std::vector<int64_t> (*axes)(const Node&);
};
constexpr std::array<RowOp, 12> row_ops = {{
    {"reduce_sum", emit_sum, reduce_axes},
    {"reduce_mean", emit_mean, reduce_axes},
    {"reduce_max", emit_max, reduce_axes},
    {"reduce_min", emit_min, reduce_axes},
    {"reduce_l1", emit_l1, reduce_axes},
    {"reduce_l2", emit_l2, reduce_axes},
    {"reduce_sum_square", emit_sum_square, reduce_axes},
    {"reduce_log_sum", emit_log_sum, reduce_axes},
    {"softmax", emit_softmax, softmax_axes},
    {"log_softmax", emit_log_softmax, softmax_axes},
    {"layer_norm", emit_layer_norm, norm_axes},
    {"rms_norm", emit_rms_norm, norm_axes},
}};

const RowOp* find(const Node& node) {
  for (const RowOp& op : row_ops) {
    if (node.is(op.name)) return &op;
  }
  return nullptr;
}

}  // namespace

bool is_row_op(const Node& node) { return node.op().has(op_row_reduction) && find(node); }

std::optional<uint16_t> lower_row_op(const Node& node, ScalarProgram& program, std::span<const uint16_t> operands,
                                     std::vector<int64_t>& axes) {
  const RowOp* op = find(node);
  const std::vector<int64_t> own = op->axes(node);
  if (own.empty() || (!axes.empty() && axes != own)) return std::nullopt;
  axes = own;
  return op->emit(node, program, operands);
}

}  // namespace narae
