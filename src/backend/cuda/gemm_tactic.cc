// SPDX-License-Identifier: Apache-2.0
// Matrix products by cuBLASLt, with bias, residual and relu in its epilogue and the rest of a body behind it. The
// library counts columns first, so it is asked for the transposed product: result^T = B^T A^T.
#include <array>
#include <optional>

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "backend/cuda/product.h"
#include "backend/cuda/tactics.h"
#include "base/error.h"
#include "ops/matmul.h"

namespace narae::cuda {
namespace {

constexpr size_t workspace_limit = size_t{32} << 20;
constexpr int heuristics = 4;

struct GemmProblem {
  ContractionBody body;
  int64_t m = 0, n = 0, k = 0, batch = 1;
  int64_t stride_a = 0, stride_b = 0;  // elements between the matrices of a batch
  bool transpose_a = false, transpose_b = false;
  DType operand = DType::f32, result = DType::f32;
};

cudaDataType_t type_of(DType type) {
  return type == DType::f16 ? CUDA_R_16F : type == DType::bf16 ? CUDA_R_16BF : CUDA_R_32F;
}

bool leads_with(const Dims& dims, const Dims& result) {
  return dims.size() == result.size() && std::equal(dims.begin(), dims.end() - 2, result.begin());
}

// The batch of both sides as one stride each; false where they broadcast in another way.
bool set_batch(const Dims& a, const Dims& b, GemmProblem& problem) {
  const Dims& result = problem.body.result;
  const int64_t matrices_a = element_count(a) / (problem.m * problem.k);
  const int64_t matrices_b = element_count(b) / (problem.k * problem.n);
  if (matrices_b == 1 && !problem.transpose_a) {  // one matrix for all: more rows
    problem.m *= matrices_a;
    return true;
  }
  problem.batch = element_count(result) / (problem.m * problem.n);
  if (matrices_a != 1 && !leads_with(a, result)) return false;
  if (matrices_b != 1 && !leads_with(b, result)) return false;
  problem.stride_a = matrices_a == 1 ? 0 : problem.m * problem.k;
  problem.stride_b = matrices_b == 1 ? 0 : problem.k * problem.n;
  return true;
}

std::optional<GemmProblem> gemm_problem(const Node& node, const NodeDims& dims) {
  if (node.outputs().size() != 1 || !contraction_anchor(node, "matmul")) return std::nullopt;
  std::optional<ContractionBody> body = product_body(node, dims, "matmul", -1);
  if (!body || body->result.size() < 2) return std::nullopt;
  GemmProblem problem;
  const auto& attributes = body->anchor->attributes<MatmulAttributes>();
  const Value& left = *node.input(static_cast<size_t>(body->operands[0]));
  const Value& right = *node.input(static_cast<size_t>(body->operands[1]));
  const Dims& a = dims.inputs[static_cast<size_t>(body->operands[0])];
  const Dims& b = dims.inputs[static_cast<size_t>(body->operands[1])];
  if (left.dtype() != right.dtype() || a.size() < 2 || b.size() < 2) return std::nullopt;
  problem.operand = left.dtype();
  problem.result = node.output(0)->dtype();
  if (problem.operand == DType::f32 && problem.result != DType::f32) return std::nullopt;
  problem.transpose_a = attributes.transpose_a, problem.transpose_b = attributes.transpose_b;
  problem.m = body->result[body->result.size() - 2], problem.n = body->result.back();
  problem.k = problem.transpose_a ? a[a.size() - 2] : a.back();
  problem.body = std::move(*body);
  if (problem.m == 0 || problem.n == 0 || problem.k == 0 || element_count(problem.body.result) == 0)
    return std::nullopt;
  for (const int operand : {problem.body.bias, problem.body.residual}) {
    // The library reads these in the result's own type.
    if (operand >= 0 && node.input(static_cast<size_t>(operand))->dtype() != problem.result) return std::nullopt;
  }
  return set_batch(a, b, problem) ? std::optional(problem) : std::nullopt;
}

// Descriptors of one product; they free themselves.
class GemmPlan {
 public:
  GemmPlan(const BlasLibrary& blas, const GemmProblem& p, bool tf32) : blas_(blas) {
    const cublasComputeType_t compute =
        p.operand == DType::f32 && tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    blas.check(blas.make_desc(&desc_, compute, CUDA_R_32F), "a product's description");
    const cublasOperation_t first = p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N;
    const cublasOperation_t second = p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N;
    set(CUBLASLT_MATMUL_DESC_TRANSA, first);
    set(CUBLASLT_MATMUL_DESC_TRANSB, second);
    const bool relu = p.body.act && p.body.act->op == ScalarOp::relu, bias = p.body.bias >= 0;
    const cublasLtEpilogue_t epilogue = relu && bias ? CUBLASLT_EPILOGUE_RELU_BIAS
                                        : relu       ? CUBLASLT_EPILOGUE_RELU
                                        : bias       ? CUBLASLT_EPILOGUE_BIAS
                                                     : CUBLASLT_EPILOGUE_DEFAULT;
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
    if (bias) set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, type_of(p.result));
    layout(b_, p.operand, p.transpose_b ? p.k : p.n, p.transpose_b ? p.n : p.k, p.batch, p.stride_b);
    layout(a_, p.operand, p.transpose_a ? p.m : p.k, p.transpose_a ? p.k : p.m, p.batch, p.stride_a);
    layout(c_, p.result, p.n, p.m, p.batch, p.m * p.n);
  }
  ~GemmPlan() {
    if (desc_) blas_.free_desc(desc_);
    for (cublasLtMatrixLayout_t l : {a_, b_, c_}) {
      if (l) blas_.free_layout(l);
    }
  }
  GemmPlan(const GemmPlan&) = delete;
  GemmPlan& operator=(const GemmPlan&) = delete;

  // The library's candidate number `rank`. Throws Error does_not_fit where it has fewer.
  cublasLtMatmulHeuristicResult_t algorithm(int rank) const {
    cublasLtMatmulPreference_t preference = nullptr;
    blas_.check(blas_.make_preference(&preference), "a preference");
    const size_t limit = workspace_limit;
    blas_.set_preference(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &limit, sizeof limit);
    std::array<cublasLtMatmulHeuristicResult_t, heuristics> found{};
    int count = 0;
    const cublasStatus_t code =
        blas_.heuristic(blas_.handle, desc_, b_, a_, c_, c_, preference, heuristics, found.data(), &count);
    blas_.free_preference(preference);
    if (code != CUBLAS_STATUS_SUCCESS || count == 0) {
      fail(ErrorCode::does_not_fit, "cuBLASLt has no kernel for this product ({})", static_cast<int>(code));
    }
    if (rank >= count) fail(ErrorCode::does_not_fit, "cuBLASLt has {} kernels for this product", count);
    return found[static_cast<size_t>(rank)];
  }
  void set_bias(const void* bias) const {
    blas_.check(blas_.set_desc(desc_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias), "a bias");
  }
  void run(const cublasLtMatmulAlgo_t& algorithm, size_t workspace_bytes, float alpha, const void* a, const void* b,
           const void* residual, void* result, void* workspace, cudaStream_t stream) const {
    const float beta = residual ? 1.0f : 0.0f;
    blas_.check(blas_.matmul(blas_.handle, desc_, &alpha, b, b_, a, a_, &beta, residual ? residual : result, c_, result,
                             c_, &algorithm, workspace, workspace_bytes, stream),
                "a product");
  }

 private:
  template <typename T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    blas_.check(blas_.set_desc(desc_, attribute, &value, sizeof value), "an attribute of a product");
  }
  void layout(cublasLtMatrixLayout_t& made, DType type, int64_t rows, int64_t columns, int64_t batch, int64_t stride) {
    blas_.check(
        blas_.make_layout(&made, type_of(type), static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), rows),
        "a matrix's layout");
    if (batch == 1) return;
    const auto count = static_cast<int32_t>(batch);
    blas_.check(blas_.set_layout(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count), "a batch");
    blas_.check(blas_.set_layout(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride), "a batch");
  }
  const BlasLibrary& blas_;
  cublasLtMatmulDesc_t desc_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, c_ = nullptr;
};

class GemmKernel final : public Kernel {
 public:
  GemmKernel(const CudaLevel& level, const Node& node, const NodeDims& dims, const GemmProblem& problem, int rank)
      : level_(level),
        body_(problem.body),
        result_(node.inputs().size()),
        plan_(*level.blas, problem, level.tf32),
        tail_(*level.texts, node, dims, problem.body,
              {true, true, problem.body.act && problem.body.act->op == ScalarOp::relu}, Layout::plain()) {
    const cublasLtMatmulHeuristicResult_t chosen = plan_.algorithm(rank);
    algorithm_ = chosen.algo;
    workspace_bytes_ = chosen.workspaceSize;
  }
  size_t workspace_bytes() const override { return workspace_bytes_; }
  void launch(Stream& stream, std::span<void* const> operands, void* workspace) const override {
    const auto at = [&](int i) -> void* { return i < 0 ? nullptr : operands[static_cast<size_t>(i)]; };
    if (body_.bias >= 0) plan_.set_bias(at(body_.bias));
    void* result = operands[result_];
    plan_.run(algorithm_, workspace_bytes_, body_.scale, at(body_.operands[0]), at(body_.operands[1]),
              at(body_.residual), result, workspace, handle_of(stream));
    tail_.launch(handle_of(stream), operands, result);
  }

 private:
  CudaLevel level_;
  ContractionBody body_;
  size_t result_;
  GemmPlan plan_;
  ProductTail tail_;
  cublasLtMatmulAlgo_t algorithm_{};
  size_t workspace_bytes_ = 0;
};

class GemmTactic final : public Tactic {
 public:
  explicit GemmTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "cublaslt"; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!level_.blas->available() || !level_.texts->available() || level_.deterministic) return;
    if (!gemm_problem(node, dims)) return;
    for (int i = 0; i < heuristics; ++i) out.push_back(plain_choice(this, node, fmt::format("candidate{}", i)));
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
