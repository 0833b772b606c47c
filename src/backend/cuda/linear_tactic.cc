// SPDX-License-Identifier: Apache-2.0
// Linear layers (linear_problem.h). One tactic for few rows and many, because a choice made at one number of rows
// serves every other. Where cuBLASLt is missing, or a row's result may not depend on the others, all rows go the way of
// few.
#include "backend/cuda/cuda_error.h"
#include "backend/cuda/few_rows_kernel.h"
#include "backend/cuda/many_rows_kernel.h"
#include "base/error.h"
#include "kernels/cuda/gemv.h"

namespace narae::cuda {
namespace {

class LinearTactic final : public Tactic {
 public:
  explicit LinearTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "linear"; }
  Numerics numerics() const override { return {true, true, level_.deterministic}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (level_.texts->available() && linear_problem(node, dims)) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<LinearProblem> problem = linear_problem(node, dims);
    if (!problem) return 1;
    const DType operand = problem->products[0].operand;
    const double peak = target.fma_flops * target.cores * (operand != DType::f32 ? 8 : level_.tf32 ? 4 : 1);
    return launch_seconds(target, problem->flops(), 0.6 * peak, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    std::optional<LinearProblem> problem = linear_problem(node, dims);
    if (!problem) fail(ErrorCode::does_not_fit, "these sizes are no linear layer");
    check(cudaSetDevice(level_.ordinal), "choosing the device");
    const bool few = problem->m() <= gemv_rows || level_.deterministic || !level_.blas->available();
    return (few ? make_few_rows_kernel : make_many_rows_kernel)(level_, node, dims, std::move(*problem));
  }

 private:
  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_linear_tactic(const CudaLevel& level) { return std::make_unique<LinearTactic>(level); }

}  // namespace narae::cuda
