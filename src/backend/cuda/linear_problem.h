// SPDX-License-Identifier: Apache-2.0
// Rows times constant matrices [n][k], the layers of language models: one, several on the same rows, or a gated unit;
// weights as they are or in blocks.
#pragma once

#include <optional>
#include <vector>

#include "backend/cuda/gemm_plan.h"

namespace narae::cuda {

struct LinearProblem {
  std::vector<GemmProblem> products;  // of result i; of a gated unit: gate, up
  std::optional<Gate> gate;
  bool gated() const { return gate.has_value(); }
  int64_t m() const { return products[0].m; }
  double flops() const;
};

std::optional<LinearProblem> linear_problem(const Node& node, const NodeDims& dims);

// Operands of a launch as one product sees them.
struct ProductPlaces {
  const std::byte *x, *w, *bias, *residual;
  std::byte* y;
};
ProductPlaces places_of(const ContractionBody& body, std::span<void* const> operands, void* result);

}  // namespace narae::cuda
