// SPDX-License-Identifier: Apache-2.0
// Matrix products: what a node asks for, and cuBLASLt's way to do it, with bias, residual and relu in its epilogue. The
// library counts columns first, so it is asked for the transposed product: result^T = B^T A^T.
#pragma once

#include <algorithm>
#include <optional>

#include "backend/cuda/blas_library.h"
#include "backend/cuda/product.h"
#include "kernels/cuda/gate.h"
#include "tensor/formats.h"

namespace narae::cuda {

inline constexpr int gemm_heuristics = 4;  // candidates of the library that are looked at

struct GemmProblem {
  ContractionBody body;
  int64_t m = 0, n = 0, k = 0, batch = 1;
  int64_t stride_a = 0, stride_b = 0;  // elements between the matrices of a batch
  bool transpose_a = false, transpose_b = false;
  int64_t ldc = 0;  // elements between rows of the result and the residual; 0: n
  DType operand = DType::f32, result = DType::f32;
  bool fixed_right = false;  // the right operand is a constant
  // The right operand is [n][k / values] blocks; not for GemmPlan.
  BlockFormat format = BlockFormat::none;
};

// Empty: the node is no product, or one that these kernels cannot follow. from_blocks: only those that decode the right
// operand inside; else only others. `part`: the result meant, of a node that has several.
std::optional<GemmProblem> gemm_problem(const Node& node, const NodeDims& dims, bool from_blocks = false,
                                        size_t part = 0);

// gate(x Gate) * (x Up) in one body.
struct GatedProblem {
  GemmProblem gate, up;
  Gate act = Gate::silu;
};
std::optional<GatedProblem> gated_problem(const Node& node, const NodeDims& dims);

// Descriptors of one product; they free themselves.
class GemmPlan {
 public:
  // By the library's candidate number `rank` of gemm_heuristics. Throws Error does_not_fit where it has fewer.
  GemmPlan(const BlasLibrary& blas, const GemmProblem& problem, bool tf32, int rank);
  ~GemmPlan();
  GemmPlan(const GemmPlan&) = delete;
  GemmPlan& operator=(const GemmPlan&) = delete;

  // With room to align what a launch is given.
  size_t workspace_bytes() const {
    const size_t bytes = std::max(aligned_.workspaceSize, any_.workspaceSize);
    return bytes ? bytes + workspace_alignment : 0;
  }
  // result = alpha a b + residual, and what the epilogue does; residual may be null.
  void run(float alpha, const void* a, const void* b, const void* bias, const void* residual, void* result,
           void* workspace, cudaStream_t stream) const;

 private:
  static constexpr size_t workspace_alignment = 256;
  cublasLtMatmulHeuristicResult_t algorithm(int rank, uint32_t alignment) const;
  template <typename T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value);
  void layout(cublasLtMatrixLayout_t& made, DType type, int64_t rows, int64_t columns, int64_t between, int64_t batch,
              int64_t stride);
  const BlasLibrary& blas_;
  cublasLtMatmulDesc_t desc_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, c_ = nullptr;
  cublasLtMatmulHeuristicResult_t aligned_{}, any_{};  // for operands on usual_alignment; wherever they lie
};

}  // namespace narae::cuda
