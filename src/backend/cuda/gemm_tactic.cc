// SPDX-License-Identifier: Apache-2.0
// Matrix products by cuBLASLt, with the rest of a body behind its epilogue.
#include <optional>

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "backend/cuda/gemm_plan.h"
#include "backend/cuda/tactics.h"
#include "base/error.h"

namespace narae::cuda {
namespace {

class GemmKernel final : public Kernel {
 public:
  GemmKernel(const CudaLevel& level, const Node& node, const NodeDims& dims, const GemmProblem& problem, int rank)
      : level_(level),
        body_(problem.body),
        result_(node.inputs().size()),
        plan_(*level.blas, problem, level.tf32, rank),
        tail_(*level.texts, node, dims, problem.body,
              {true, true, problem.body.act && problem.body.act->op == ScalarOp::relu}, Layout::plain()) {}
  size_t workspace_bytes() const override { return plan_.workspace_bytes(); }
  void launch(Stream& stream, std::span<void* const> operands, void* workspace) const override {
    const auto at = [&](int i) -> void* { return i < 0 ? nullptr : operands[static_cast<size_t>(i)]; };
    void* result = operands[result_];
    plan_.run(body_.scale, at(body_.operands[0]), at(body_.operands[1]), at(body_.bias), at(body_.residual), result,
              workspace, handle_of(stream));
    tail_.launch(handle_of(stream), operands, result);
  }

 private:
  CudaLevel level_;
  ContractionBody body_;
  size_t result_;
  GemmPlan plan_;
  ProductTail tail_;
};

class GemmTactic final : public Tactic {
 public:
  explicit GemmTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "cublaslt"; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!level_.blas->available() || !level_.texts->available() || level_.deterministic) return;
    if (node.outputs().size() != 1 || !gemm_problem(node, dims)) return;
    for (int i = 0; i < gemm_heuristics; ++i) out.push_back(plain_choice(this, node, fmt::format("candidate{}", i)));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<GemmProblem> p = gemm_problem(node, dims);
    if (!p) return 1;
    const double flops = 2.0 * static_cast<double>(p->m * p->n) * static_cast<double>(p->k * p->batch);
    const double peak = target.fma_flops * target.cores * (p->operand != DType::f32 ? 8 : level_.tf32 ? 4 : 1);
    const double rank = choice.config.back() - '0';
    return launch_seconds(target, flops, 0.6 * peak, node_bytes(node, choice, dims)) * (1 + 0.01 * rank);
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    const std::optional<GemmProblem> problem = gemm_problem(node, dims);
    if (!problem) fail(ErrorCode::does_not_fit, "these sizes are no product of cuBLASLt's");
    check(cudaSetDevice(level_.ordinal), "choosing the device");
    return std::make_unique<GemmKernel>(level_, node, dims, *problem, choice.config.back() - '0');
  }

 private:
  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_gemm_tactic(const CudaLevel& level) { return std::make_unique<GemmTactic>(level); }

}  // namespace narae::cuda
