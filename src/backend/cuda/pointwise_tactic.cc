// SPDX-License-Identifier: Apache-2.0
// Pointwise nodes and bodies, and bodies with row reductions, as compiled text. Padding lanes of a blocked result must
// be zero: with channels last and all of them in one block there are none.
#include <optional>

#include "backend/cuda/cuda_stream.h"
#include "backend/cuda/scalar_kernel.h"
#include "backend/cuda/tactics.h"
#include "backend/operand_placement.h"
#include "backend/pointwise_problem.h"
#include "base/error.h"

namespace narae::cuda {
namespace {

// Rows of pixels with channels last: the channels lie side by side in the result, which has one pixel.
std::vector<int64_t> pixel_result_strides(const PointwiseProblem& problem) {
  std::vector<int64_t> strides(problem.dims.size() + 1, 0);
  strides[0] = problem.dims[1];
  strides.back() = 1;
  return strides;
}

bool are_pixel_rows(const PointwiseProblem& problem) {
  const std::vector<int64_t>& axes = problem.body.lowered.row_axes;
  return axes.size() + 2 == problem.dims.size() && axes[0] == 2;
}

ScalarSpace space_of(const PointwiseProblem& problem, const NodeDims& dims, const Layout& layout) {
  ScalarSpace space;
  const std::vector<int64_t>& axes = problem.body.lowered.row_axes;
  space.program = problem.body.lowered.program;
  space.dims = stored_dims(problem.dims, layout);
  for (const size_t i : problem.body.operands) {
    space.inputs.push_back(operand_strides(dims.inputs[i], problem.dims, layout));
  }
  for (const Dims& output : dims.outputs) {
    const bool pixel = !layout.is_plain() && output != problem.dims;
    space.outputs.push_back(pixel ? pixel_result_strides(problem) : result_strides(problem, output, layout));
  }
  if (axes.empty()) return space;
  space.row_axes = static_cast<int>(axes.size());
  move_rows_last(axes, space.dims);
  for (auto* list : {&space.inputs, &space.outputs}) {
    for (std::vector<int64_t>& strides : *list) move_rows_last(axes, strides);
  }
  return space;
}

class PointwiseKernel final : public Kernel {
 public:
  PointwiseKernel(TextKernels& texts, const ScalarSpace& space, std::vector<size_t> operands, size_t node_inputs)
      : kernel_(texts, space), operands_(std::move(operands)), node_inputs_(node_inputs) {}
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    void* pointers[40];
    size_t count = 0;
    for (const size_t i : operands_) pointers[count++] = operands[i];
    for (size_t i = node_inputs_; i < operands.size(); ++i) pointers[count++] = operands[i];
    kernel_.launch(handle_of(stream), {pointers, count});
  }

 private:
  ScalarKernel kernel_;
  std::vector<size_t> operands_;
  size_t node_inputs_;
};

class PointwiseTactic final : public Tactic {
 public:
  explicit PointwiseTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "pointwise"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!level_.texts->available()) return;
    const std::optional<PointwiseProblem> problem = pointwise_problem(node, dims);
    if (!problem || problem->body.operands.size() + dims.outputs.size() > 36) return;
    const std::vector<int64_t>& axes = problem->body.lowered.row_axes;
    int64_t row = 1;
    for (const int64_t axis : axes) row *= problem->dims[static_cast<size_t>(axis)];
    if (row > 32 * 1024) return;
    offer(*problem, node, dims, Layout::plain(), out);
    const size_t rank = problem->dims.size();
    if ((axes.empty() || are_pixel_rows(*problem)) && rank >= 3 && rank <= 5 && problem->dims[1] > 1) {
      offer(*problem, node, dims, Layout::blocked(1, static_cast<int>(problem->dims[1])), out);
    }
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    return launch_seconds(target, 0, 1, node_bytes(node, choice, dims));
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    const std::optional<PointwiseProblem> problem = pointwise_problem(node, dims);
    if (!problem) fail(ErrorCode::does_not_fit, "these sizes have no pointwise form");
    return std::make_unique<PointwiseKernel>(*level_.texts, space_of(*problem, dims, layout_of(*problem, choice)),
                                             problem->body.operands, node.inputs().size());
  }

 private:
  // What is gone through lies as the first result or operand with channels last.
  static Layout layout_of(const PointwiseProblem& problem, const Choice& choice) {
    const auto block = static_cast<int>(problem.dims.size() > 1 ? problem.dims[1] : 1);
    for (const size_t i : problem.body.operands) {
      if (choice.inputs[i] == Layout::blocked(1, block)) return choice.inputs[i];
    }
    return Layout::plain();
  }
  void offer(const PointwiseProblem& problem, const Node& node, const NodeDims& dims, const Layout& layout,
             std::vector<Choice>& out) const {
    Choice choice = plain_choice(this, node);
    for (const size_t i : problem.body.operands) place_operand(i, dims.inputs[i], problem.dims, layout, choice);
    for (size_t o = 0; o < dims.outputs.size(); ++o) {
      if (dims.outputs[o].size() == problem.dims.size()) choice.outputs[o] = layout;
    }
    if (layout_of(problem, choice) != layout) return;  // no operand tells
    std::vector<bool> taken(dims.inputs.size(), false);
    for (size_t o = 0; o < dims.outputs.size(); ++o) {
      if (dims.outputs[o] != problem.dims) continue;
      for (const size_t i : problem.body.operands) {
        const Value& operand = *node.input(i);
        if (taken[i] || dims.inputs[i] != problem.dims || operand.is_constant()) continue;
        if (operand.dtype() != node.output(o)->dtype()) continue;
        choice.in_place[o] = static_cast<int>(i);
        taken[i] = true;
        break;
      }
    }
    out.push_back(std::move(choice));
  }

  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_pointwise_tactic(const CudaLevel& level) {
  return std::make_unique<PointwiseTactic>(level);
}

}  // namespace narae::cuda
