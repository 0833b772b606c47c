// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/few_rows_kernel.h"

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "kernels/cuda/gemv.h"
#include "kernels/cuda/tokens.h"

namespace narae::cuda {
namespace {

BlockGemvArgs args_of(const GemmProblem& problem) {
  BlockGemvArgs args;
  args.format = problem.format;
  args.x_type = args.w_type = problem.operand;
  args.y_type = args.bias_type = args.residual_type = problem.result;
  args.n = problem.n, args.k = problem.k;
  args.fixed_weights = problem.fixed_right;
  return args;
}

void run(const BlockGemvArgs& args, cudaStream_t stream) {
  check(args.format == BlockFormat::none ? gemv(args, stream) : block_gemv(args, stream), "a product of few rows");
}

// Rows [row, row + count) of a product.
BlockGemvArgs rows_of(const GemmProblem& problem, const ProductPlaces& places, int64_t row, int64_t count) {
  const auto before = static_cast<size_t>(row);
  const size_t x_row = static_cast<size_t>(problem.k) * dtype_size(problem.operand);
  const size_t y_row = static_cast<size_t>(problem.n) * dtype_size(problem.result);
  BlockGemvArgs args = args_of(problem);
  args.m = count;
  args.x = places.x + before * x_row, args.w = places.w, args.bias = places.bias;
  args.y = places.y + before * y_row;
  args.residual = places.residual ? places.residual + before * y_row : nullptr;
  return args;
}

class FewRowsKernel final : public Kernel {
 public:
  FewRowsKernel(const CudaLevel& level, const Node& node, const NodeDims& dims, LinearProblem problem)
      : problem_(std::move(problem)), first_result_(node.inputs().size()) {
    const std::vector<GemmProblem>& products = problem_.products;
    joined_ = products.size() > 1 && products.size() <= gemv_parts_limit;
    for (size_t i = 0; i < products.size(); ++i) {
      const GemmProblem& p = products[i];
      joined_ = joined_ && p.fixed_right == products[0].fixed_right && p.format == BlockFormat::none &&
                p.body.residual < 0 && p.result == products[0].result;
      tails_.emplace_back(*level.texts, node, dims, p.body, ProductTail::Done{true, true, false}, Layout::plain(), -1,
                          i);
    }
  }
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    const cudaStream_t handle = handle_of(stream);
    for (int64_t row = 0; row < problem_.m(); row += gemv_rows) {
      const int64_t count = std::min(gemv_rows, problem_.m() - row);
      if (joined_) {
        run_joined(operands, row, count, handle);
        continue;
      }
      for (size_t i = 0; i < problem_.products.size(); ++i) run(part(operands, i, row, count), handle);
    }
    for (size_t i = 0; i < tails_.size(); ++i) tails_[i].launch(handle, operands, operands[first_result_ + i]);
  }

 private:
  BlockGemvArgs part(std::span<void* const> operands, size_t i, int64_t row, int64_t count) const {
    const GemmProblem& product = problem_.products[i];
    return rows_of(product, places_of(product.body, operands, operands[first_result_ + i]), row, count);
  }
  void run_joined(std::span<void* const> operands, int64_t row, int64_t count, cudaStream_t stream) const {
    GemvPartsArgs args;
    static_cast<GemvArgs&>(args) = part(operands, 0, row, count);
    args.count = static_cast<int>(problem_.products.size());
    for (size_t i = 0; i < problem_.products.size(); ++i) {
      const BlockGemvArgs one = part(operands, i, row, count);
      args.parts[i] = {one.w, one.bias, one.y, one.n};
    }
    check(gemv_parts(args, stream), "products of few rows");
  }

  LinearProblem problem_;
  size_t first_result_;
  bool joined_ = false;
  std::vector<ProductTail> tails_;
};

class FewGatedRowsKernel final : public Kernel {
 public:
  FewGatedRowsKernel(const Node& node, LinearProblem problem)
      : problem_(std::move(problem)), result_(node.inputs().size()) {}
  // Both products in f32, where one launch cannot do all.
  size_t workspace_bytes() const override {
    return static_cast<size_t>(2 * std::min(gemv_rows, problem_.m()) * problem_.products[0].n) * sizeof(float);
  }
  void launch(Stream& stream, std::span<void* const> operands, void* workspace) const override {
    const GemmProblem &gate = problem_.products[0], &up = problem_.products[1];
    for (int64_t row = 0; row < problem_.m(); row += gemv_rows) {
      const int64_t count = std::min(gemv_rows, problem_.m() - row);
      const BlockGemvArgs first = rows_of(gate, places_of(gate.body, operands, operands[result_]), row, count);
      const BlockGemvArgs second = rows_of(up, places_of(up.body, operands, operands[result_]), row, count);
      if (!at_once(first, second, handle_of(stream))) one_by_one(first, second, workspace, handle_of(stream));
    }
  }

 private:
  bool at_once(const BlockGemvArgs& gate, const BlockGemvArgs& up, cudaStream_t stream) const {
    if (gate.format != BlockFormat::none || up.format != BlockFormat::none) return false;
    GatedGemvArgs args;
    static_cast<GemvArgs&>(args) = gate;
    args.up = up.w, args.gate = *problem_.gate;
    args.fixed_weights = gate.fixed_weights && up.fixed_weights;
    const cudaError_t code = gated_gemv(args, stream);
    if (code != cudaErrorNotSupported) check(code, "a gated unit of few rows");
    return code == cudaSuccess;
  }
  void one_by_one(BlockGemvArgs gate, BlockGemvArgs up, void* workspace, cudaStream_t stream) const {
    GatedArgs args;
    args.y = gate.y, args.y_type = gate.y_type, args.type = DType::f32;
    args.rows = gate.m, args.n = gate.n, args.gate = *problem_.gate;
    gate.y = workspace, up.y = static_cast<float*>(workspace) + gate.m * gate.n;
    gate.y_type = up.y_type = DType::f32;
    run(gate, stream);
    run(up, stream);
    args.a = gate.y, args.b = up.y;
    check(gated(args, stream), "a gated unit");
  }

  LinearProblem problem_;
  size_t result_;
};

}  // namespace

std::unique_ptr<Kernel> make_few_rows_kernel(const CudaLevel& level, const Node& node, const NodeDims& dims,
                                             LinearProblem problem) {
  if (problem.gated()) return std::make_unique<FewGatedRowsKernel>(node, std::move(problem));
  return std::make_unique<FewRowsKernel>(level, node, dims, std::move(problem));
}

}  // namespace narae::cuda
