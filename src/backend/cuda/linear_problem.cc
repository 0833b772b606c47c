// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/linear_problem.h"

namespace narae::cuda {
namespace {

bool is_linear(const GemmProblem& problem, const NodeDims& dims) {
  return problem.batch == 1 && !problem.transpose_a && problem.transpose_b && problem.body.scale == 1 &&
         dims.inputs[static_cast<size_t>(problem.body.operands[1])].size() == 2;
}

}  // namespace

double LinearProblem::flops() const {
  double sum = 0;
  for (const GemmProblem& p : products) sum += 2.0 * static_cast<double>(p.m * p.n) * static_cast<double>(p.k);
  return sum;
}

std::optional<LinearProblem> linear_problem(const Node& node, const NodeDims& dims) {
  LinearProblem problem;
  if (std::optional<GatedProblem> unit = gated_problem(node, dims)) {
    problem.products = {std::move(unit->gate), std::move(unit->up)};
    problem.gate = unit->act;
  } else {
    for (size_t part = 0; part < node.outputs().size(); ++part) {
      std::optional<GemmProblem> product = gemm_problem(node, dims, true, part);
      if (!product) product = gemm_problem(node, dims, false, part);
      if (!product) return std::nullopt;
      problem.products.push_back(std::move(*product));
    }
  }
  for (const GemmProblem& product : problem.products) {
    const bool same_rows = product.body.operands[0] == problem.products[0].body.operands[0];
    if (!same_rows || !is_linear(product, dims)) return std::nullopt;
  }
  return problem;
}

ProductPlaces places_of(const ContractionBody& body, std::span<void* const> operands, void* result) {
  const auto at = [&](int i) { return i < 0 ? nullptr : static_cast<std::byte*>(operands[static_cast<size_t>(i)]); };
  return {at(body.operands[0]), at(body.operands[1]), at(body.bias), at(body.residual),
          static_cast<std::byte*>(result)};
}

}  // namespace narae::cuda
