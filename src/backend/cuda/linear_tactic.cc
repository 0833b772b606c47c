// SPDX-License-Identifier: Apache-2.0
// Products of rows with one constant matrix [n][k], the layers of language models: weights as they are or in blocks.
// Few rows go through the kernels that read the weights once; more through cuBLASLt, blocks decoded a strip of columns
// at a time. One tactic for both, because a choice made at one number of rows serves every other. Where the library is
// missing, or a row's result may not depend on the others, all rows go the first way, some at a time.
#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "backend/cuda/gemm_plan.h"
#include "backend/cuda/tactics.h"
#include "base/error.h"
#include "kernels/cuda/dequantize_blocks.h"
#include "kernels/cuda/gemv.h"

namespace narae::cuda {
namespace {

constexpr int64_t strip_bytes = int64_t{64} << 20;  // decoded weights at a time

std::optional<GemmProblem> linear_problem(const Node& node, const NodeDims& dims) {
  std::optional<GemmProblem> problem = gemm_problem(node, dims, true);
  if (!problem) problem = gemm_problem(node, dims);
  if (!problem || problem->batch != 1 || problem->transpose_a || !problem->transpose_b || problem->body.scale != 1) {
    return std::nullopt;
  }
  const auto right = static_cast<size_t>(problem->body.operands[1]);
  return dims.inputs[right].size() == 2 ? problem : std::nullopt;
}

// Operands of a launch as the product sees them.
struct Places {
  const std::byte *x, *w, *bias, *residual;
  std::byte* y;
};

Places places_of(const ContractionBody& body, std::span<void* const> operands, size_t result) {
  const auto at = [&](int i) { return i < 0 ? nullptr : static_cast<std::byte*>(operands[static_cast<size_t>(i)]); };
  return {at(body.operands[0]), at(body.operands[1]), at(body.bias), at(body.residual), at(static_cast<int>(result))};
}

// Some rows at a time, by the kernels that read the weights once for them.
class FewRowsKernel final : public Kernel {
 public:
  FewRowsKernel(const CudaLevel& level, const Node& node, const NodeDims& dims, const GemmProblem& problem)
      : problem_(problem),
        result_(node.inputs().size()),
        tail_(*level.texts, node, dims, problem.body, {true, true, false}, Layout::plain()) {
    args_.format = problem.format;
    args_.x_type = problem.operand;
    args_.w_type = problem.operand;
    args_.y_type = args_.bias_type = args_.residual_type = problem.result;
    args_.n = problem.n, args_.k = problem.k;
  }
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    const Places places = places_of(problem_.body, operands, result_);
    const auto x_row = static_cast<size_t>(problem_.k) * dtype_size(problem_.operand);
    const auto y_row = static_cast<size_t>(problem_.n) * dtype_size(problem_.result);
    BlockGemvArgs args = args_;
    args.w = places.w, args.bias = places.bias;
    for (int64_t row = 0; row < problem_.m; row += gemv_rows) {
      const auto before = static_cast<size_t>(row);
      args.m = std::min(gemv_rows, problem_.m - row);
      args.x = places.x + before * x_row;
      args.y = places.y + before * y_row;
      args.residual = places.residual ? places.residual + before * y_row : nullptr;
      check(args.format == BlockFormat::none ? gemv(args, handle_of(stream)) : block_gemv(args, handle_of(stream)),
            "a product of few rows");
    }
    tail_.launch(handle_of(stream), operands, places.y);
  }

 private:
  GemmProblem problem_;
  size_t result_;
  BlockGemvArgs args_;
  ProductTail tail_;
};

class ManyRowsKernel final : public Kernel {
 public:
  ManyRowsKernel(const CudaLevel& level, const Node& node, const NodeDims& dims, const GemmProblem& problem)
      : problem_(problem),
        result_(node.inputs().size()),
        tail_(*level.texts, node, dims, problem.body,
              {true, true, problem.body.act && problem.body.act->op == ScalarOp::relu}, Layout::plain()) {
    GemmProblem strip = problem;
    strip.ldc = problem.n;
    if (problem.format != BlockFormat::none) {
      const int64_t row_bytes = problem.k * static_cast<int64_t>(dtype_size(problem.operand));
      strip.n = std::min(problem.n, std::max<int64_t>(64, strip_bytes / row_bytes / 64 * 64));
      decoded_bytes_ = static_cast<size_t>(strip.n * row_bytes);
    }
    width_ = strip.n;
    strips_.push_back(std::make_unique<GemmPlan>(*level.blas, strip, level.tf32, 0));
    strip.n = problem.n % width_;
    if (strip.n > 0) strips_.push_back(std::make_unique<GemmPlan>(*level.blas, strip, level.tf32, 0));
    for (const auto& one : strips_) scratch_bytes_ = std::max(scratch_bytes_, one->workspace_bytes());
  }
  size_t workspace_bytes() const override { return decoded_bytes_ + scratch_bytes_; }
  void launch(Stream& stream, std::span<void* const> operands, void* workspace) const override {
    const Places all = places_of(problem_.body, operands, result_);
    const cudaStream_t handle = handle_of(stream);
    auto* scratch = static_cast<std::byte*>(workspace) + decoded_bytes_;
    if (problem_.format == BlockFormat::none) {
      run(*strips_[0], all, scratch, handle);
    } else {
      for (int64_t column = 0; column < problem_.n; column += width_) {
        const int64_t width = std::min(width_, problem_.n - column);
        run(*strips_[width == width_ ? 0 : 1], decoded(all, column, width, workspace, handle), scratch, handle);
      }
    }
    tail_.launch(handle, operands, all.y);
  }

 private:
  static void run(const GemmPlan& plan, const Places& at, void* scratch, cudaStream_t stream) {
    plan.run(1, at.x, at.w, at.bias, at.residual, at.y, scratch, stream);
  }
  Places decoded(const Places& all, int64_t column, int64_t width, void* workspace, cudaStream_t stream) const {
    const BlockFormatInfo& info = block_format_info(problem_.format);
    DequantizeArgs args;
    args.format = problem_.format, args.type = problem_.operand;
    args.in = all.w + static_cast<size_t>(column * (problem_.k / info.values) * info.bytes);
    args.out = workspace;
    args.blocks = width * (problem_.k / info.values);
    check(dequantize_blocks(args, stream), "decoding weights");
    const auto before = static_cast<size_t>(column) * dtype_size(problem_.result);
    const auto moved = [before](const std::byte* p) { return p ? p + before : nullptr; };
    return {all.x, static_cast<const std::byte*>(workspace), moved(all.bias), moved(all.residual), all.y + before};
  }

  GemmProblem problem_;
  size_t result_, decoded_bytes_ = 0, scratch_bytes_ = 0;
  int64_t width_ = 0;
  std::vector<std::unique_ptr<GemmPlan>> strips_;  // whole ones; the last, where it is narrower
  ProductTail tail_;
};

class LinearTactic final : public Tactic {
 public:
  explicit LinearTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "linear"; }
  Numerics numerics() const override { return {true, true, level_.deterministic}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (level_.texts->available() && linear_problem(node, dims)) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<GemmProblem> p = linear_problem(node, dims);
    if (!p) return 1;
    const double flops = 2.0 * static_cast<double>(p->m * p->n) * static_cast<double>(p->k);
    const double peak = target.fma_flops * target.cores * (p->operand != DType::f32 ? 8 : level_.tf32 ? 4 : 1);
    return launch_seconds(target, flops, 0.6 * peak, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const std::optional<GemmProblem> problem = linear_problem(node, dims);
    if (!problem) fail(ErrorCode::does_not_fit, "these sizes are no product with one matrix");
    check(cudaSetDevice(level_.ordinal), "choosing the device");
    if (problem->m <= gemv_rows || level_.deterministic || !level_.blas->available()) {
      return std::make_unique<FewRowsKernel>(level_, node, dims, *problem);
    }
    return std::make_unique<ManyRowsKernel>(level_, node, dims, *problem);
  }

 private:
  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_linear_tactic(const CudaLevel& level) { return std::make_unique<LinearTactic>(level); }

}  // namespace narae::cuda
