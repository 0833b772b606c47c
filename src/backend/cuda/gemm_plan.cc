// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/gemm_plan.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "ops/dequantize_blocks.h"
#include "ops/matmul.h"

namespace narae::cuda {
namespace {

constexpr size_t workspace_limit = size_t{32} << 20;
constexpr uint32_t usual_alignment = 64;  // of values in an arena; parts of them lie where they lie

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

// The product that `body` takes apart, stored as `result`.
std::optional<GemmProblem> problem_of(const Node& node, const NodeDims& dims, ContractionBody body, DType result) {
  if (body.result.size() < 2) return std::nullopt;
  GemmProblem problem;
  const auto& attributes = body.anchor->attributes<MatmulAttributes>();
  const Value& left = *node.input(static_cast<size_t>(body.operands[0]));
  const Value& right = *node.input(static_cast<size_t>(body.operands[1]));
  const Dims& a = dims.inputs[static_cast<size_t>(body.operands[0])];
  const Dims& b = dims.inputs[static_cast<size_t>(body.operands[1])];
  if (a.size() < 2 || b.size() < 2) return std::nullopt;
  if (body.decoder) {
    problem.format = block_format_from_name(body.decoder->attributes<DequantizeBlocksAttributes>().format);
    if (!attributes.transpose_b || !right.is_constant() || b.size() != 2) return std::nullopt;
  } else if (left.dtype() != right.dtype()) {
    return std::nullopt;
  }
  problem.fixed_right = right.is_constant();
  problem.operand = left.dtype();
  if (problem.operand != DType::f32 && problem.operand != DType::f16 && problem.operand != DType::bf16) {
    return std::nullopt;
  }
  problem.result = result;
  if (problem.operand == DType::f32 && problem.result != DType::f32) return std::nullopt;
  problem.transpose_a = attributes.transpose_a, problem.transpose_b = attributes.transpose_b;
  problem.m = body.result[body.result.size() - 2], problem.n = body.result.back();
  problem.k = problem.transpose_a ? a[a.size() - 2] : a.back();
  problem.body = std::move(body);
  if (problem.m == 0 || problem.n == 0 || problem.k == 0 || element_count(problem.body.result) == 0)
    return std::nullopt;
  for (const int operand : {problem.body.bias, problem.body.residual}) {
    // The library reads these in the result's own type.
    if (operand >= 0 && node.input(static_cast<size_t>(operand))->dtype() != problem.result) return std::nullopt;
  }
  const Dims decoded{problem.n, problem.k};
  return set_batch(a, problem.format != BlockFormat::none ? decoded : b, problem) ? std::optional(problem)
                                                                                  : std::nullopt;
}

// The body's operand that a value inside is, by way of a cast at most; -1: none.
int operand_of(const Node& node, const Value* value) {
  if (value->producer() && value->producer()->is("cast")) value = value->producer()->input(0);
  const std::vector<Value*>& inputs = node.bodies()[0]->inputs();
  const auto found = std::find(inputs.begin(), inputs.end(), value);
  return found == inputs.end() ? -1 : static_cast<int>(found - inputs.begin());
}

std::optional<GemmProblem> product_inside(const Node& node, const NodeDims& dims, const Node& anchor) {
  ContractionBody body;
  body.anchor = &anchor;
  const Node* decoder = anchor.input(1)->producer();
  if (decoder && decoder->is("dequantize_blocks")) body.decoder = decoder;
  body.operands = {operand_of(node, anchor.input(0)),
                   operand_of(node, body.decoder ? decoder->input(0) : anchor.input(1))};
  if (body.operands[0] < 0 || body.operands[1] < 0) return std::nullopt;
  body.result = evaluate(anchor.output(0)->shape(), *dims.symbols);
  return problem_of(node, dims, std::move(body), node.output()->dtype());
}

std::optional<Gate> gate_of(const Node& node) {
  if (node.is("silu")) return Gate::silu;
  if (node.is("gelu")) return Gate::gelu;
  if (node.is("gelu_tanh")) return Gate::gelu_tanh;
  if (node.is("relu")) return Gate::relu;
  return std::nullopt;
}

}  // namespace

std::optional<GemmProblem> gemm_problem(const Node& node, const NodeDims& dims, bool from_blocks, size_t part) {
  if (!contraction_anchor(node, "matmul", part)) return std::nullopt;
  std::optional<ContractionBody> body = product_body(node, dims, "matmul", -1, from_blocks, part);
  return body ? problem_of(node, dims, std::move(*body), node.output(part)->dtype()) : std::nullopt;
}

std::optional<GatedProblem> gated_problem(const Node& node, const NodeDims& dims) {
  if (!node.is("fused") || node.outputs().size() != 1) return std::nullopt;
  std::vector<const Node*> products;
  const Node *act = nullptr, *mul = nullptr;
  for (const Node* inner = node.bodies()[0]->first(); inner; inner = inner->next()) {
    if (inner->is("matmul")) {
      products.push_back(inner);
    } else if (gate_of(*inner) && !act) {
      act = inner;
    } else if (inner->is("mul") && !mul) {
      mul = inner;
    } else if (!inner->is("cast") && !inner->is("dequantize_blocks")) {
      return std::nullopt;
    }
  }
  if (products.size() != 2 || !act || !mul) return std::nullopt;
  if (act->input(0) != products[0]->output()) std::swap(products[0], products[1]);
  const bool meets = (mul->input(0) == act->output() && mul->input(1) == products[1]->output()) ||
                     (mul->input(1) == act->output() && mul->input(0) == products[1]->output());
  const Value* result = node.bodies()[0]->outputs()[0];
  if (result->producer()->is("cast")) result = result->producer()->input(0);
  if (act->input(0) != products[0]->output() || !meets || result != mul->output()) return std::nullopt;
  std::optional<GemmProblem> gate = product_inside(node, dims, *products[0]);
  std::optional<GemmProblem> up = product_inside(node, dims, *products[1]);
  if (!gate || !up || gate->body.operands[0] != up->body.operands[0] || gate->n != up->n) return std::nullopt;
  return GatedProblem{std::move(*gate), std::move(*up), *gate_of(*act)};
}

template <typename T>
void GemmPlan::set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
  blas_.check(blas_.set_desc(desc_, attribute, &value, sizeof value), "an attribute of a product");
}

void GemmPlan::layout(cublasLtMatrixLayout_t& made, DType type, int64_t rows, int64_t columns, int64_t between,
                      int64_t batch, int64_t stride) {
  blas_.check(blas_.make_layout(&made, type_of(type), static_cast<uint64_t>(rows), static_cast<uint64_t>(columns),
                                between ? between : rows),
              "a matrix's layout");
  if (batch == 1) return;
  const auto count = static_cast<int32_t>(batch);
  blas_.check(blas_.set_layout(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count), "a batch");
  blas_.check(blas_.set_layout(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride), "a batch");
}

GemmPlan::GemmPlan(const BlasLibrary& blas, const GemmProblem& p, bool tf32, int rank) : blas_(blas) {
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
  layout(b_, p.operand, p.transpose_b ? p.k : p.n, p.transpose_b ? p.n : p.k, 0, p.batch, p.stride_b);
  layout(a_, p.operand, p.transpose_a ? p.m : p.k, p.transpose_a ? p.k : p.m, 0, p.batch, p.stride_a);
  layout(c_, p.result, p.n, p.m, p.ldc, p.batch, p.m * p.n);
  aligned_ = algorithm(rank, usual_alignment);
  any_ = algorithm(0, static_cast<uint32_t>(dtype_size(p.operand)));
}

GemmPlan::~GemmPlan() {
  if (desc_) blas_.free_desc(desc_);
  for (cublasLtMatrixLayout_t l : {a_, b_, c_}) {
    if (l) blas_.free_layout(l);
  }
}

cublasLtMatmulHeuristicResult_t GemmPlan::algorithm(int rank, uint32_t alignment) const {
  cublasLtMatmulPreference_t preference = nullptr;
  blas_.check(blas_.make_preference(&preference), "a preference");
  const size_t limit = workspace_limit;
  blas_.set_preference(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &limit, sizeof limit);
  for (const auto attribute :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    blas_.set_preference(preference, attribute, &alignment, sizeof alignment);
  }
  std::array<cublasLtMatmulHeuristicResult_t, gemm_heuristics> found{};
  int count = 0;
  const cublasStatus_t code =
      blas_.heuristic(blas_.handle, desc_, b_, a_, c_, c_, preference, gemm_heuristics, found.data(), &count);
  blas_.free_preference(preference);
  if (code != CUBLAS_STATUS_SUCCESS || count == 0) {
    fail(ErrorCode::does_not_fit, "cuBLASLt has no kernel for this product ({})", static_cast<int>(code));
  }
  if (rank >= count) fail(ErrorCode::does_not_fit, "cuBLASLt has {} kernels for this product", count);
  return found[static_cast<size_t>(rank)];
}

void GemmPlan::run(float alpha, const void* a, const void* b, const void* bias, const void* residual, void* result,
                   void* workspace, cudaStream_t stream) const {
  if (bias) blas_.check(blas_.set_desc(desc_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias), "a bias");
  const float beta = residual ? 1.0f : 0.0f;
  if (!residual) residual = result;
  uintptr_t places = 0;
  for (const void* place : {a, b, residual, static_cast<const void*>(result)})
    places |= reinterpret_cast<uintptr_t>(place);
  const cublasLtMatmulHeuristicResult_t& chosen = places % usual_alignment == 0 ? aligned_ : any_;
  const uintptr_t room = (reinterpret_cast<uintptr_t>(workspace) + workspace_alignment - 1) / workspace_alignment;
  workspace = chosen.workspaceSize ? reinterpret_cast<void*>(room * workspace_alignment) : nullptr;
  blas_.check(blas_.matmul(blas_.handle, desc_, &alpha, b, b_, a, a_, &beta, residual, c_, result, c_, &chosen.algo,
                           workspace, chosen.workspaceSize, stream),
              "a product");
}

}  // namespace narae::cuda
