// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/many_rows_kernel.h"

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "kernels/cuda/dequantize_blocks.h"
#include "kernels/cuda/tokens.h"

namespace narae::cuda {
namespace {

constexpr int64_t strip_bytes = int64_t{64} << 20;  // decoded weights at a time

// One product, its columns in strips where the weights are decoded first.
class StripProduct {
 public:
  StripProduct(const CudaLevel& level, const GemmProblem& problem) : problem_(problem), width_(problem.n) {
    GemmProblem strip = problem;
    strip.ldc = problem.n;
    if (problem.format != BlockFormat::none) {
      const int64_t row_bytes = problem.k * static_cast<int64_t>(dtype_size(problem.operand));
      width_ = strip.n = std::min(problem.n, std::max<int64_t>(64, strip_bytes / row_bytes / 64 * 64));
      decoded_bytes_ = static_cast<size_t>(width_ * row_bytes);
    }
    plans_.push_back(std::make_unique<GemmPlan>(*level.blas, strip, level.tf32, 0));
    strip.n = problem.n % width_;
    if (strip.n > 0) plans_.push_back(std::make_unique<GemmPlan>(*level.blas, strip, level.tf32, 0));
    for (const auto& plan : plans_) scratch_bytes_ = std::max(scratch_bytes_, plan->workspace_bytes());
  }
  size_t workspace_bytes() const { return decoded_bytes_ + scratch_bytes_; }
  void run(const ProductPlaces& all, void* workspace, cudaStream_t stream) const {
    void* scratch = static_cast<std::byte*>(workspace) + decoded_bytes_;
    if (problem_.format == BlockFormat::none) return run(*plans_[0], all, scratch, stream);
    for (int64_t column = 0; column < problem_.n; column += width_) {
      const int64_t width = std::min(width_, problem_.n - column);
      run(*plans_[width == width_ ? 0 : 1], decoded(all, column, width, workspace, stream), scratch, stream);
    }
  }

 private:
  static void run(const GemmPlan& plan, const ProductPlaces& at, void* scratch, cudaStream_t stream) {
    plan.run(1, at.x, at.w, at.bias, at.residual, at.y, scratch, stream);
  }
  ProductPlaces decoded(const ProductPlaces& all, int64_t column, int64_t width, void* workspace,
                        cudaStream_t stream) const {
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
  int64_t width_;  // columns of a strip
  size_t decoded_bytes_ = 0, scratch_bytes_ = 0;
  std::vector<std::unique_ptr<GemmPlan>> plans_;  // of whole strips; of the last, where it is narrower
};

class ManyRowsKernel final : public Kernel {
 public:
  ManyRowsKernel(const CudaLevel& level, const Node& node, const NodeDims& dims, LinearProblem problem)
      : problem_(std::move(problem)), first_result_(node.inputs().size()) {
    for (size_t i = 0; i < problem_.products.size(); ++i) {
      const GemmProblem& product = problem_.products[i];
      strips_.emplace_back(level, product);
      scratch_bytes_ = std::max(scratch_bytes_, strips_.back().workspace_bytes());
      if (problem_.gated()) continue;
      const bool relu = product.body.act && product.body.act->op == ScalarOp::relu;
      tails_.emplace_back(*level.texts, node, dims, product.body, ProductTail::Done{true, true, relu}, Layout::plain(),
                          -1, i);
    }
    if (!problem_.gated()) return;
    const GemmProblem& gate = problem_.products[0];
    gate_bytes_ = (static_cast<size_t>(gate.m * gate.n) * dtype_size(gate.result) + 255) / 256 * 256;
  }
  size_t workspace_bytes() const override { return gate_bytes_ + scratch_bytes_; }
  void launch(Stream& stream, std::span<void* const> operands, void* workspace) const override {
    const cudaStream_t handle = handle_of(stream);
    void* scratch = static_cast<std::byte*>(workspace) + gate_bytes_;
    for (size_t i = 0; i < strips_.size(); ++i) {
      void* y = problem_.gated() ? (i == 0 ? workspace : operands[first_result_]) : operands[first_result_ + i];
      strips_[i].run(places_of(problem_.products[i].body, operands, y), scratch, handle);
    }
    if (problem_.gated()) return open_gate(workspace, operands[first_result_], handle);
    for (size_t i = 0; i < tails_.size(); ++i) tails_[i].launch(handle, operands, operands[first_result_ + i]);
  }

 private:
  void open_gate(const void* gate, void* up, cudaStream_t stream) const {
    const GemmProblem& product = problem_.products[0];
    GatedArgs args;
    args.a = gate, args.b = args.y = up;
    args.type = args.y_type = product.result;
    args.gate = *problem_.gate, args.rows = product.m, args.n = product.n;
    check(gated(args, stream), "a gated unit");
  }

  LinearProblem problem_;
  size_t first_result_, gate_bytes_ = 0, scratch_bytes_ = 0;
  std::vector<StripProduct> strips_;
  std::vector<ProductTail> tails_;
};

}  // namespace

std::unique_ptr<Kernel> make_many_rows_kernel(const CudaLevel& level, const Node& node, const NodeDims& dims,
                                              LinearProblem problem) {
  return std::make_unique<ManyRowsKernel>(level, node, dims, std::move(problem));
}

}  // namespace narae::cuda
