// SPDX-License-Identifier: Apache-2.0
// A product whose constant right operand is decoded from blocks inside the body, or a part of a horizontal body of
// such products: what the kernels of block_gemm.h need of it.
// Or two of them whose results meet.
#pragma once

#include <array>
#include <optional>

#include "backend/contraction_body.h"
#include "backend/cpu/tile_epilogue.h"
#include "kernels/cpu/block_gemm.h"

namespace narae::cpu {

struct BlockProblem {
  ContractionBody body;
  BlockGemmShape shape;
  TileSpace space;
  size_t a = 0, blocks = 0;  // node operands
  size_t part = 0;           // node result
};
std::optional<BlockProblem> block_problem(const Node& node, const NodeDims& dims, size_t part = 0);
// Two such products of the same rows and what makes one result of them, element by element (a gated unit): gate, up.
// The rest is up's, and reads the gate's result as the only operand that it has (gate_dims).
std::optional<std::array<BlockProblem, 2>> gated_block_problems(const Node& node, const NodeDims& dims);
NodeDims gate_dims(const BlockProblem& gate);
double block_gemm_seconds(const BlockProblem& problem, const Target& target);

}  // namespace narae::cpu
