// SPDX-License-Identifier: Apache-2.0
// Reductions, softmax and layer norms of single nodes by kernels of their own; bodies with them are programs
// (pointwise_tactic.cc).
#include <array>
#include <optional>

#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "kernels/cpu/reduce.h"
#include "ops/layer_norm.h"
#include "ops/reduce.h"
#include "ops/softmax.h"

namespace narae::cpu {
namespace {

enum class RowKind { reduce, softmax, log_softmax, layer_norm, rms_norm };

struct RowProblem {
  RowKind kind = RowKind::reduce;
  Reduction reduction = Reduction::sum;
  int64_t outer = 1, n = 1, inner = 1;
  float epsilon = 0;
  bool has_bias = false;
};

std::optional<Reduction> reduction_of(const Node& node) {
  constexpr std::array<std::pair<const char*, Reduction>, 10> names = {
      {{"reduce_sum", Reduction::sum},
       {"reduce_mean", Reduction::mean},
       {"reduce_max", Reduction::max},
       {"reduce_min", Reduction::min},
       {"reduce_prod", Reduction::prod},
       {"reduce_sum_square", Reduction::sum_square},
       {"reduce_l1", Reduction::l1},
       {"reduce_l2", Reduction::l2},
       {"reduce_log_sum", Reduction::log_sum},
       {"reduce_log_sum_exp", Reduction::log_sum_exp}}};
  for (const auto& [name, reduction] : names) {
    if (node.is(name)) return reduction;
  }
  return std::nullopt;
}

// Sizes before, of and after axes [first, last).
void cut_at(const Dims& dims, int64_t first, int64_t last, RowProblem& problem) {
  for (int64_t i = 0; i < static_cast<int64_t>(dims.size()); ++i) {
    (i < first ? problem.outer : i < last ? problem.n : problem.inner) *= dims[static_cast<size_t>(i)];
  }
}

// Scale and bias must be rows of their own.
bool norm_problem(const Node& node, const NodeDims& dims, RowProblem& problem) {
  const auto& a = node.attributes<LayerNormAttributes>();
  problem.epsilon = static_cast<float>(a.epsilon);
  cut_at(dims.inputs[0], a.axis, static_cast<int64_t>(dims.inputs[0].size()), problem);
  problem.has_bias = node.inputs().size() > 2 && node.input(2);
  for (size_t i = 1; i < node.inputs().size(); ++i) {
    if (!node.input(i)) continue;
    Dims row(dims.inputs[0].begin() + a.axis, dims.inputs[0].end()), own = dims.inputs[i];
    while (own.size() > row.size() && own.front() == 1) own.erase(own.begin());
    if (own != row || node.input(i)->dtype() != DType::f32) return false;
  }
  return true;
}

std::optional<RowProblem> row_problem(const Node& node, const NodeDims& dims) {
  RowProblem problem;
  const std::optional<Reduction> reduction = reduction_of(node);
  const bool softmax = node.is("softmax") || node.is("log_softmax");
  const bool norm = node.is("layer_norm") || node.is("rms_norm");
  if ((!reduction && !softmax && !norm) || node.outputs().size() != 1) return std::nullopt;
  if (node.input(0)->dtype() != DType::f32 || element_count(dims.inputs[0]) == 0) return std::nullopt;
  if (norm) {
    problem.kind = node.is("layer_norm") ? RowKind::layer_norm : RowKind::rms_norm;
    return norm_problem(node, dims, problem) ? std::optional(problem) : std::nullopt;
  }
  if (softmax) {
    const int64_t axis = node.attributes<SoftmaxAttributes>().axis;
    problem.kind = node.is("softmax") ? RowKind::softmax : RowKind::log_softmax;
    cut_at(dims.inputs[0], axis, axis + 1, problem);
    return problem;
  }
  const std::vector<int64_t>& axes = node.attributes<ReduceAttributes>().axes;
  if (axes.empty() || axes.back() - axes.front() + 1 != static_cast<int64_t>(axes.size())) return std::nullopt;
  problem.reduction = *reduction;
  cut_at(dims.inputs[0], axes.front(), axes.back() + 1, problem);
  return problem;
}

class RowKernel final : public CpuKernel {
 public:
  RowKernel(int threads, const ReduceKernels& kernels, const RowProblem& problem, size_t inputs)
      : CpuKernel(threads), kernels_(kernels), problem_(problem), inputs_(inputs) {}

 protected:
  int64_t tasks() const override {
    ReduceArgs args;
    args.outer = problem_.outer, args.n = problem_.n, args.inner = problem_.inner;
    return reduce_tasks(kernels_, args);
  }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    const auto* x = static_cast<const float*>(operands[0]);
    auto* y = static_cast<float*>(operands[inputs_]);
    ReduceArgs args;
    args.x = x, args.y = y;
    args.outer = problem_.outer, args.n = problem_.n, args.inner = problem_.inner;
    NormArgs norm;
    norm.x = x, norm.y = y, norm.n = problem_.n, norm.epsilon = problem_.epsilon;
    if (inputs_ > 1) norm.scale = static_cast<const float*>(operands[1]);
    if (problem_.has_bias) norm.bias = static_cast<const float*>(operands[2]);
    switch (problem_.kind) {
      case RowKind::reduce: return kernels_.reduce(args, problem_.reduction, begin, end);
      case RowKind::softmax: return kernels_.softmax(args, false, begin, end);
      case RowKind::log_softmax: return kernels_.softmax(args, true, begin, end);
      case RowKind::layer_norm: return kernels_.layer_norm(norm, begin, end);
      case RowKind::rms_norm: return kernels_.rms_norm(norm, begin, end);
    }
  }

 private:
  const ReduceKernels& kernels_;
  RowProblem problem_;
  size_t inputs_;
};

class RowTactic final : public Tactic {
 public:
  explicit RowTactic(CpuLevel level) : level_(std::move(level)), kernels_(reduce_kernels(level_.isa)) {}
  const char* name() const override { return "row"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    const std::optional<RowProblem> problem = row_problem(node, dims);
    if (!problem) return;
    out.push_back(plain_choice(this, node));
    if (problem->kind != RowKind::reduce) out.back().in_place[0] = 0;
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<RowProblem> problem = row_problem(node, dims);
    require_covered(problem.has_value(), node);
    const double elements = static_cast<double>(element_count(dims.inputs[0]));
    const bool exponential = problem->kind == RowKind::softmax || problem->kind == RowKind::log_softmax;
    const double tasks = static_cast<double>(problem->outer) *
                         (problem->inner == 1 ? 1 : std::ceil(static_cast<double>(problem->inner) / 64));
    return roofline(target, elements * (exponential ? 16 : 6), 0.25, node_bytes(node, choice, dims), tasks);
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const std::optional<RowProblem> problem = row_problem(node, dims);
    require_covered(problem.has_value(), node);
    return std::make_unique<RowKernel>(level_.threads, *kernels_, *problem, node.inputs().size());
  }

 private:
  CpuLevel level_;
  const ReduceKernels* kernels_;
};

}  // namespace

std::unique_ptr<Tactic> make_row_tactic(const CpuLevel& level) { return std::make_unique<RowTactic>(level); }

}  // namespace narae::cpu
