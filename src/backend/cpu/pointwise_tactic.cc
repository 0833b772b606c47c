// SPDX-License-Identifier: Apache-2.0
// Pointwise nodes and bodies, and bodies with row reductions, run by the interpreter of ScalarPrograms. The one thing
// not to get wrong: padding lanes of a blocked result must be zero even where the body makes something of zeros, so
// such programs get a mask operand.
#include <algorithm>
#include <array>
#include <unordered_set>

#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "backend/operand_placement.h"
#include "backend/pointwise_problem.h"
#include "base/error.h"
#include "kernels/cpu/pointwise.h"

namespace narae::cpu {
namespace {

struct Prepared {
  PointwisePlan plan;
  std::vector<float> mask;  // of the channels of a blocked result; empty: none needed
};

Prepared prepare(const PointwiseProblem& problem, const NodeDims& dims, const Layout& layout,
                 const ScalarSteps& steps) {
  Prepared prepared;
  const std::vector<int64_t>& axes = problem.body.lowered.row_axes;
  Dims space = stored_dims(problem.dims, layout);
  std::vector<std::vector<int64_t>> inputs, outputs;
  for (const size_t i : problem.body.operands) {
    inputs.push_back(operand_strides(dims.inputs[i], problem.dims, layout));
  }
  for (const Dims& output : dims.outputs) outputs.push_back(result_strides(problem, output, layout));
  ScalarProgram program = problem.body.lowered.program;
  if (!layout.is_plain()) {
    const auto axis = static_cast<size_t>(layout.blocked_axis);
    const int64_t channels = problem.dims[axis];
    if (channels % layout.block != 0 && !keeps_zero(problem, dims, layout)) {
      program = masked(program);
      prepared.mask.assign(static_cast<size_t>(space[axis] * layout.block), 0.0f);
      std::fill_n(prepared.mask.begin(), channels, 1.0f);
      std::vector<int64_t> strides(space.size(), 0);
      strides[axis] = layout.block;
      strides.back() = 1;
      inputs.push_back(std::move(strides));
    }
  }
  if (!axes.empty()) {
    move_rows_last(axes, space);
    for (auto* list : {&inputs, &outputs}) {
      for (std::vector<int64_t>& strides : *list) move_rows_last(axes, strides);
    }
  }
  prepared.plan = make_pointwise_plan(program, steps, space, inputs, outputs, static_cast<int>(axes.size()));
  return prepared;
}

class PointwiseKernel final : public CpuKernel {
 public:
  PointwiseKernel(int threads, Prepared prepared, std::vector<size_t> operands, size_t node_inputs)
      : CpuKernel(threads), prepared_(std::move(prepared)), operands_(std::move(operands)), node_inputs_(node_inputs) {}

 protected:
  int64_t tasks() const override { return prepared_.plan.tasks; }
  size_t scratch_bytes() const override { return prepared_.plan.scratch_bytes; }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    std::array<const void*, max_pointwise_operands> inputs;
    for (size_t i = 0; i < operands_.size(); ++i) inputs[i] = operands[operands_[i]];
    if (!prepared_.mask.empty()) inputs[operands_.size()] = prepared_.mask.data();
    pointwise_run(prepared_.plan, inputs.data(), operands.data() + node_inputs_, scratch, begin, end);
  }

 private:
  Prepared prepared_;
  std::vector<size_t> operands_;
  size_t node_inputs_;
};

class PointwiseTactic final : public Tactic {
 public:
  explicit PointwiseTactic(CpuLevel level) : level_(std::move(level)), steps_(scalar_steps(level_.isa)) {}
  const char* name() const override { return "pointwise"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    const std::optional<PointwiseProblem> problem = pointwise_problem(node, dims);
    if (!problem) return;
    offer(*problem, node, dims, Layout::plain(), out);
    const size_t rank = problem->dims.size();
    const bool rows = !problem->body.lowered.row_axes.empty();
    if (rows || target.channel_block <= 1 || rank < 3 || rank > 5 || problem->dims[1] == 1) return;
    offer(*problem, node, dims, Layout::blocked(1, target.channel_block), out);
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<PointwiseProblem> problem = pointwise_problem(node, dims);
    require_covered(problem.has_value(), node);
    double elements = static_cast<double>(choice.outputs[0].stored_count(problem->dims));
    // A step is a load, one operation and a store: an eighth of the multiply-adds that registers allow.
    return roofline(target, elements * (1 + scalar_program_flops(problem->body.lowered.program)), 0.125,
                    node_bytes(node, choice, dims), 1 + elements / 1024);
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    const std::optional<PointwiseProblem> problem = pointwise_problem(node, dims);
    require_covered(problem.has_value(), node);
    Prepared prepared = prepare(*problem, dims, choice.outputs[0], *steps_);
    if (prepared.plan.error) fail(ErrorCode::internal, "{}: {}", node.label(), prepared.plan.error);
    return std::make_unique<PointwiseKernel>(level_.threads, std::move(prepared), problem->body.operands,
                                             node.inputs().size());
  }

 private:
  void offer(const PointwiseProblem& problem, const Node& node, const NodeDims& dims, const Layout& layout,
             std::vector<Choice>& out) const {
    if (prepare(problem, dims, layout, *steps_).plan.error) return;
    Choice choice = plain_choice(this, node);
    for (const size_t i : problem.body.operands) place_operand(i, dims.inputs[i], problem.dims, layout, choice);
    choice.outputs.assign(choice.outputs.size(), layout);
    std::unordered_set<int> taken;
    for (size_t o = 0; o < dims.outputs.size(); ++o) {
      if (dims.outputs[o] != problem.dims) continue;
      for (const size_t i : problem.body.operands) {
        const Value& operand = *node.input(i);
        if (taken.count(static_cast<int>(i)) || dims.inputs[i] != problem.dims || operand.is_constant() ||
            operand.dtype() != node.output(o)->dtype()) {
          continue;
        }
        choice.in_place[o] = static_cast<int>(i);
        taken.insert(static_cast<int>(i));
        break;
      }
    }
    out.push_back(std::move(choice));
  }

  CpuLevel level_;
  const ScalarSteps* steps_;
};

}  // namespace

std::unique_ptr<Tactic> make_pointwise_tactic(const CpuLevel& level) {
  return std::make_unique<PointwiseTactic>(level);
}

}  // namespace narae::cpu
