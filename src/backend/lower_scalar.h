// SPDX-License-Identifier: Apache-2.0
// Pointwise nodes and bodies as one ScalarProgram, for every backend alike. A program computes in f32, so only what f32
// holds exactly is lowered: integers may enter or leave by a cast, and integer arithmetic is refused.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "graph/graph.h"
#include "tensor/scalar_program.h"

namespace narae {

// How an operand varies over the tile that the program will see; pointwise plans find it from strides instead.
using ScalarClassOf = std::function<ScalarClass(const Value&)>;

struct LoweredScalar {
  ScalarProgram program;
  std::vector<const Value*> inputs;  // what program input i reads
  // Where there are row reductions: the axes they all go over, and what they read (of the rank of the whole).
  std::vector<int64_t> row_axes;
  std::vector<const Value*> row_operands;
};

// `nodes` in topological order; `outputs` are results of theirs. What they read and do not make becomes an input of the
// program, `leading` ones first (in that order, whether read or not); constants of one element become constants of the
// program. Empty where a node has no scalar form or a type would not survive.
std::optional<LoweredScalar> lower_scalar(std::span<const Node* const> nodes, std::span<Value* const> outputs,
                                          std::span<const Value* const> leading = {},
                                          const ScalarClassOf& class_of = {});

// A whole node: one pointwise (or row) op, or a fused node whose body consists of such.
struct ScalarBody {
  LoweredScalar lowered;
  std::vector<size_t> operands;  // node operand that program input i reads
};
std::optional<ScalarBody> scalar_body(const Node& node);

// ScalarType of a DType; empty for those programs do not load.
std::optional<ScalarType> scalar_type(DType dtype);

}  // namespace narae
