// SPDX-License-Identifier: Apache-2.0
// A product with a constant right operand, alone, in a body, or a part of a horizontal body: rows are all leading axes
// of the left operand.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backend/contraction_body.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tile_epilogue.h"
#include "kernels/cpu/gemm.h"

namespace narae::cpu {

struct GemmProblem {
  ContractionBody body;
  GemmShape shape;
  TileSpace space;
  bool b_transposed = false;
  size_t a = 0, b = 0;  // node operands
  size_t part = 0;      // node result
};
std::optional<GemmProblem> gemm_problem(const Node& node, const NodeDims& dims, size_t part = 0);

std::string gemm_config_text(const GemmConfig& config);
GemmConfig parse_gemm_config(const std::string& text);
std::string gemm_pack_text(const GemmProblem& problem, const GemmConfig& config, const BrgemmTiles& tiles);
Tensor pack_gemm(const Node& anchor, const GemmConfig& config, const Tensor& b, const BrgemmTiles& tiles);
double gemm_seconds(const GemmProblem& problem, const NodeDims& dims, const BrgemmTiles& tiles, const Target& target);
std::unique_ptr<CpuKernel> make_gemm_kernel(int threads, const Node& node, const NodeDims& dims, GemmProblem problem,
                                            const GemmConfig& config, const BrgemmTiles& tiles,
                                            const ScalarSteps& steps);

}  // namespace narae::cpu
